"""The recipients of a mailing in the worker's hands: read by the page, written to the wire, marked with outcomes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Row, func, select, text, update

from lettrlabs import MAX_RECIPIENTS, NewAddress, NewMetadata, NewPersonal, NewRecipient
from models import DO_NOT_MAIL, Outcome, Recipient
from worker.moves.claims import PAUSED
from worker.work import Work

Person: TypeAlias = Row[Any]
Page: TypeAlias = Sequence[Person]

# The list and the mark by which recipient `r` of a `mailing` is suppressed, of several the first.
SUPPRESSION: Final = f"""
    SELECT list, mark
      FROM suppression
     WHERE digest IN (r.person_digest, r.address_digest, r.email_digest, r.customer_digest)
       AND list = ANY (CAST(ARRAY['{DO_NOT_MAIL}'] AS text[]) || mailing.suppress)
     ORDER BY list, mark
     LIMIT 1
"""  # noqa: S608 - built from a constant

# With each recipient the list that they are on by now, and whether the mailing is to go on at all: both are looked at
# right before a page is handed over, and one look is enough for both.
_PAGE = text(f"""
    WITH mailing AS MATERIALIZED (
        SELECT id, suppress, cancel_requested OR {PAUSED} AS halted
          FROM mailing
         WHERE id = :mailing_id
    )
    SELECT r.position, r.first_name, r.last_name, r.organization, r.salutation, r.address1, r.address2, r.city,
           r.state, r.zip_code, r.country, r.email, r.merge, r.person_digest, r.address_digest,
           s.list, s.mark, mailing.halted
      FROM mailing
      JOIN recipient AS r ON r.mailing_id = mailing.id
      LEFT JOIN LATERAL ({SUPPRESSION}) AS s ON true
     WHERE r.position >= :cursor
     ORDER BY r.position
     LIMIT :room
""")  # noqa: S608 - built from constants of this package
_MARK = text("""
    UPDATE recipient AS r
       SET outcome    = :outcome,
           vendor_id  = given.vendor_id,
           reason     = given.reason,
           counted_on = CASE WHEN CAST(:day AS date) IS NOT NULL THEN coalesce(r.counted_on, :day) END
      FROM unnest(CAST(:positions AS integer[]), CAST(:vendor_ids AS bigint[]), CAST(:reasons AS text[]))
           AS given (position, vendor_id, reason)
     WHERE r.mailing_id = :mailing_id
       AND r.position = given.position
""")


def next_page(work: Work) -> Page:
    """Return the recipients after the cursor, as many as one request may carry (1000, older LettrLabs reference).

    Each row also has the `list` and `mark` by which the person is suppressed, if so, and whether the mailing is
    `halted`: paused, or to be cancelled.
    """
    bounds = {"mailing_id": work.held.id, "cursor": work.held.cursor, "room": MAX_RECIPIENTS}
    with work.desk.reader.connect() as connection:
        return connection.execute(_PAGE, bounds).all()


def submitted(work: Work) -> Page:
    """Return the recipients that should be on the order by now, in their order."""
    with work.engine.connect() as connection:
        return connection.execute(
            select(*Recipient.__table__.columns)
            .where(
                Recipient.mailing_id == work.held.id,
                Recipient.outcome.in_([Outcome.SUBMITTED, Outcome.ACCEPTED]),
            )
            .order_by(Recipient.position)
        ).all()


def on_the_wire(person: Person) -> NewRecipient:
    """Return a recipient as LettrLabs wants it. The merge fields are the vendor's own metadata names."""
    return NewRecipient(
        address=NewAddress(
            address1=person.address1,
            address2=person.address2,
            city=person.city,
            state=person.state,
            zip_code=person.zip_code,
            country=person.country,
        ),
        personal=NewPersonal(
            first_name=person.first_name,
            last_name=person.last_name,
            to_organization=person.organization,
            salutation=person.salutation,
        ),
        metadata=NewMetadata(email=person.email, **person.merge) if person.email or person.merge else None,
    )


def mark_submitted(connection: Connection, mailing_id: int, positions: Iterable[int], day: date) -> None:
    """Mark people as handed over; unless they have a place already, theirs counts on this day (frequency caps)."""
    _mark(connection, mailing_id, Outcome.SUBMITTED, dict.fromkeys(positions), day=day)


def mark_refused(connection: Connection, mailing_id: int, refused: Mapping[int, str]) -> None:
    """Mark those that the vendor refused, by position, with its reason; they take no place any more."""
    _mark(connection, mailing_id, Outcome.REJECTED, dict.fromkeys(refused), refused)


def mark_accepted(connection: Connection, mailing_id: int, vendor_ids: Mapping[int, int], day: date) -> None:
    """Give each recipient that was read back the vendor's id for them, by position; the day is as when submitted."""
    _mark(connection, mailing_id, Outcome.ACCEPTED, vendor_ids, day=day)


def _mark(
    connection: Connection,
    mailing_id: int,
    outcome: Outcome,
    vendor_ids: Mapping[int, int | None],
    reasons: Mapping[int, str] | None = None,
    day: date | None = None,
) -> None:
    if not vendor_ids:
        return
    positions = list(vendor_ids)
    connection.execute(
        _MARK,
        {
            "mailing_id": mailing_id,
            "outcome": outcome.value,
            "positions": positions,
            "vendor_ids": [vendor_ids[position] for position in positions],
            "reasons": [(reasons or {}).get(position) for position in positions],
            "day": day,
        },
    )


def forget_outcomes(connection: Connection, mailing_id: int) -> None:
    """Put every recipient back to where they were before anything was handed over."""
    connection.execute(
        update(Recipient)
        .where(Recipient.mailing_id == mailing_id, Recipient.outcome != Outcome.WAITING)
        .values(outcome=Outcome.WAITING, vendor_id=None, reason=None)
    )


def refused_count(work: Work) -> int:
    """Return how many recipients the vendor refused."""
    with work.engine.connect() as connection:
        return connection.scalars(
            select(func.count()).where(
                Recipient.mailing_id == work.held.id, Recipient.outcome == Outcome.REJECTED
            )
        ).one()


def digest_of(vendor_ids: Iterable[int]) -> bytes:
    """Return what binds an order to exactly these recipients, in any sequence."""
    return blake2b(b",".join(b"%d" % number for number in sorted(vendor_ids)), digest_size=16).digest()
