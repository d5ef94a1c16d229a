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

    job: StageJob
    amount: Decimal


def reserve_effect(job: StageJob, amount: Decimal) -> Effect[Reserving]:
    """Return the note that reserves it; afterwards `work.saw` tells whether all was well.

    Writing it raises OverBudget.
    """
    return Effect(_reserve, Reserving(job, amount), last=True)


def release(job: StageJob) -> Effect[int]:
    """Return the note that gives it back."""
    return Effect(budgets.release, job.mailing.id)


def _reserve(connection: Connection, several: Sequence[Reserving]) -> None:
    budgets.reserve(connection, [_taking(one) for one in several])
    unsettled = recipient_screening.needs_screening(connection, [one.job for one in several])
    for one in several:
        one.job.snapshot.reserved_at = None if one.job.mailing.id in unsettled else one.job.now()


def _taking(reserving: Reserving) -> SpendRequest:
    """Return what the checkout takes. The day of a budget begins at midnight in the installation's zone."""
    claimed, now = reserving.job.mailing, reserving.job.now()
    day = now.astimezone(ZoneInfo(reserving.job.settings.zone)).date()
    return SpendRequest(
        mailing_id=claimed.id, amount=reserving.amount, pieces=claimed.accepted, day=day, at=now
    )
