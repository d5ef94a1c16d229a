"""The recipients of a mailing in the worker's hands: read by the page, written to the wire, marked with outcomes."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, func, select, text, update

from lettrlabs import MAX_RECIPIENTS, NewAddress, NewMetadata, NewPersonal, NewRecipient
from models import Outcome, Recipient
from worker.work import Work

Person: TypeAlias = Row[Any]
Page: TypeAlias = Sequence[Person]

_MARK = text("""
    UPDATE recipient AS r
       SET outcome   = :outcome,
           vendor_id = given.vendor_id,
           reason    = given.reason
      FROM unnest(CAST(:positions AS integer[]), CAST(:vendor_ids AS bigint[]), CAST(:reasons AS text[]))
           AS given (position, vendor_id, reason)
     WHERE r.mailing_id = :mailing_id
       AND r.position = given.position
""")


def next_page(work: Work) -> Page:
    """Return the recipients after the cursor, as many as one request may carry (1000, older LettrLabs reference)."""
    with work.engine.connect() as connection:
        return connection.execute(
            select(*Recipient.__table__.columns)
            .where(Recipient.mailing_id == work.held.id, Recipient.position >= work.held.cursor)
            .order_by(Recipient.position)
            .limit(MAX_RECIPIENTS)
        ).all()


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


def mark_page(
    connection: Connection, mailing_id: int, positions: Iterable[int], refused: Mapping[int, str]
) -> None:
    """Mark a page as handed over, but for those that the vendor refused, by position, with its reason."""
    over = [position for position in positions if position not in refused]
    _mark(connection, mailing_id, Outcome.SUBMITTED, dict.fromkeys(over))
    _mark(connection, mailing_id, Outcome.REJECTED, dict.fromkeys(refused), refused)


def mark_accepted(connection: Connection, mailing_id: int, vendor_ids: Mapping[int, int]) -> None:
    """Give each recipient that was read back the vendor's id for them, by position."""
    _mark(connection, mailing_id, Outcome.ACCEPTED, vendor_ids)


def _mark(
    connection: Connection,
    mailing_id: int,
    outcome: Outcome,
    vendor_ids: Mapping[int, int | None],
    reasons: Mapping[int, str] | None = None,
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
