"""What became of recipients, written down for whole pages, and for those of several mailings, at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, text

from models import Outcome
from worker import database

_MARK = text("""
    UPDATE recipient AS r
       SET outcome    = given.outcome,
           vendor_id  = given.vendor_id,
           reason     = given.reason,
           counted_on = CASE WHEN given.day IS NOT NULL THEN coalesce(r.counted_on, given.day) END
      FROM unnest(CAST(:mailing_id AS bigint[]), CAST(:position AS integer[]), CAST(:outcome AS text[]),
                  CAST(:vendor_id AS bigint[]), CAST(:reason AS text[]), CAST(:day AS date[]))
           AS given (mailing_id, position, outcome, vendor_id, reason, day)
     WHERE r.mailing_id = given.mailing_id
       AND r.position = given.position
""")


class OutcomeUpdate(NamedTuple):
    """What became of a recipient. With a ``day``, their place counts on it unless they have one already (caps)."""

    mailing_id: int
    position: int
    outcome: Outcome
    vendor_id: int | None = None
    reason: str | None = None
    day: date | None = None


def submitted_marks(mailing_id: int, positions: Iterable[int], day: date) -> list[OutcomeUpdate]:
    """Return the marks of people who were handed over."""
    return [OutcomeUpdate(mailing_id, position, Outcome.SUBMITTED, day=day) for position in positions]


def refused_marks(mailing_id: int, refused: Mapping[int, str]) -> list[OutcomeUpdate]:
    """Return the marks of those whom the vendor refused, by position, with its reason; they take no place."""
    return [
        OutcomeUpdate(mailing_id, position, Outcome.REJECTED, reason=why) for position, why in refused.items()
    ]


def accepted_marks(mailing_id: int, vendor_ids: Mapping[int, int], day: date) -> list[OutcomeUpdate]:
    """Return the marks of those who were read back, with the vendor's id for them by position."""
    return [
        OutcomeUpdate(mailing_id, at, Outcome.ACCEPTED, vendor_id, day=day)
        for at, vendor_id in vendor_ids.items()
    ]


def save_outcomes(connection: Connection, several: Sequence[Sequence[OutcomeUpdate]]) -> None:
    """Write down what became of the recipients of several mailings."""
    marks = [one for some in several for one in some]
    if marks:
        mailing_ids, positions, outcomes, vendor_ids, reasons, days = zip(*marks, strict=True)
        given = {
            "mailing_id": database.literal(mailing_ids),
            "position": database.literal(positions),
            "outcome": database.literal(outcomes),
            "vendor_id": database.literal(vendor_ids),
            "reason": database.texts(reasons),
            "day": database.literal(days),
        }
        connection.execute(_MARK, given)
