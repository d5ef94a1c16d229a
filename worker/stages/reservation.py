"""Reserving a checkout's money, and looking once more who is suppressed, in one commit right before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from worker.billing import budgets
from worker.billing.budgets import Taking
from worker.job import Work
from worker.results import Note
from worker.stages import recipient_screening


@dataclass(frozen=True, slots=True)
class Reserving:
    """A mailing that is about to be checked out, and what that takes."""

    work: Work
    amount: Decimal


def reservation(work: Work, amount: Decimal) -> Note[Reserving]:
    """Return the note that reserves it; afterwards `work.saw` tells whether all was well.

    Writing it raises OverBudget.
    """
    return Note(_reserve, Reserving(work, amount), last=True)


def release(work: Work) -> Note[int]:
    """Return the note that gives it back."""
    return Note(budgets.release, work.held.id)


def _reserve(connection: Connection, several: Sequence[Reserving]) -> None:
    budgets.reserve(connection, [_taking(one) for one in several])
    unsettled = recipient_screening.unsettled(connection, [one.work for one in several])
    for one in several:
        one.work.saw.reserved_at = None if one.work.held.id in unsettled else one.work.now()


def _taking(reserving: Reserving) -> Taking:
    """Return what the checkout takes. The day of a budget begins at midnight in the installation's zone."""
    held, now = reserving.work.held, reserving.work.now()
    day = now.astimezone(ZoneInfo(reserving.work.settings.zone)).date()
    return Taking(mailing_id=held.id, amount=reserving.amount, pieces=held.accepted, day=day, at=now)
