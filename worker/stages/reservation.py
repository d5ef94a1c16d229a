"""Reserving a checkout's money, and looking once more who is suppressed, in one commit right before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from worker.billing import budgets
from worker.billing.budgets import SpendRequest
from worker.job import StageJob
from worker.results import Effect
from worker.stages import recipient_screening


@dataclass(frozen=True, slots=True)
class Reserving:
    """A mailing that is about to be checked out, and what that takes."""

    work: StageJob
    amount: Decimal


def reserve_effect(work: StageJob, amount: Decimal) -> Effect[Reserving]:
    """Return the note that reserves it; afterwards `work.saw` tells whether all was well.

    Writing it raises OverBudget.
    """
    return Effect(_reserve, Reserving(work, amount), last=True)


def release(work: StageJob) -> Effect[int]:
    """Return the note that gives it back."""
    return Effect(budgets.release, work.held.id)


def _reserve(connection: Connection, several: Sequence[Reserving]) -> None:
    budgets.reserve(connection, [_taking(one) for one in several])
    unsettled = recipient_screening.needs_screening(connection, [one.work for one in several])
    for one in several:
        one.work.saw.reserved_at = None if one.work.held.id in unsettled else one.work.now()


def _taking(reserving: Reserving) -> SpendRequest:
    """Return what the checkout takes. The day of a budget begins at midnight in the installation's zone."""
    held, now = reserving.work.held, reserving.work.now()
    day = now.astimezone(ZoneInfo(reserving.work.settings.zone)).date()
    return SpendRequest(mailing_id=held.id, amount=reserving.amount, pieces=held.accepted, day=day, at=now)
