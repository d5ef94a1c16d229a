"""Deciding about a mailing that waits for approval: agree to what was seen, or reject it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from models import Mailing, State
from worker import moves
from worker.offers import Offer


class Outcome(StrEnum):
    """What came of an approval."""

    APPROVED = "approved"
    CHANGED = "is not any more what was shown; look again"
    OWN = "was submitted by the same person, who may not approve it here"
    NOT_WAITING = "does not wait for approval"


def approve(
    connection: Connection, mailing_id: int, who: str, now: datetime, *, seen: Offer, four_eyes: bool
) -> Outcome:
    """Agree to exactly what was seen. With `four_eyes`, who submitted a mailing may not approve it."""
    row = connection.execute(
        select(Mailing.state, Mailing.submitted_by).where(Mailing.id == mailing_id).with_for_update()
    ).one_or_none()
    if row is None or row.state is not State.APPROVAL:
        return Outcome.NOT_WAITING
    if four_eyes and row.submitted_by == who:
        return Outcome.OWN
    approved = moves.approve(connection, mailing_id, who, now, seen=seen)
    return Outcome.APPROVED if approved else Outcome.CHANGED
