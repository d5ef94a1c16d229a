"""The recipients of a mailing in the worker's hands: read by the page, written to the wire, marked with outcomes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Connection, Row, func, select, text, update

from lettrlabs import MAX_RECIPIENTS, NewAddress, NewMetadata, NewPersonal, NewRecipient
from models import DO_NOT_MAIL, Outcome, Recipient
from worker.moves.claims import PAUSED
from worker.work import A_BREATH, Foreseen, Work

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
_PAGE = f"""
    WITH mailing AS MATERIALIZED (
        SELECT id, {{cursor}} AS cursor, suppress, cancel_requested OR {PAUSED} AS halted
          FROM mailing
         WHERE {{which}}
    )
    SELECT mailing.id, r.position, r.first_name, r.last_name, r.organization, r.salutation, r.address1, r.address2,
           r.city, r.state, r.zip_code, r.country, r.email, r.merge, r.person_digest, r.address_digest,
           s.list, s.mark, mailing.halted
      FROM mailing
      JOIN recipient AS r ON r.mailing_id = mailing.id
      LEFT JOIN LATERAL ({SUPPRESSION}) AS s ON true
     WHERE r.position >= mailing.cursor
     ORDER BY mailing.id, r.position
"""  # noqa: S608 - built from constants of this package
_NEXT_PAGE = text(f"{_PAGE.format(cursor='CAST(:cursor AS integer)', which='id = :mailing_id')} LIMIT :room")
_SHORT_PAGES = text(_PAGE.format(cursor="cursor", which="id = ANY (:mailing_ids)"))
# What several mailings are read for at once must be little beside the wait for a longer list alone.
_SHORT: Final = 20
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


class Mark(NamedTuple):
    """What became of a recipient. With a ``day``, their place counts on it unless they have one already (caps)."""

    mailing_id: int
    position: int
    outcome: Outcome
    vendor_id: int | None = None
    reason: str | None = None
    day: date | None = None


def next_page(work: Work) -> Page:
    """Return the recipients after the cursor, as many as one request may carry (1000, older LettrLabs reference).

    Each row also has the `list` and `mark` by which the person is suppressed, if so, and whether the mailing is
    `halted`: paused, or to be cancelled.
    """
    seen, work.foreseen = work.foreseen, None
    if seen is not None and seen.cursor == work.held.cursor and work.now() - seen.at <= A_BREATH:
        return seen.page
    bounds = {"mailing_id": work.held.id, "cursor": work.held.cursor, "room": MAX_RECIPIENTS}
    with work.desk.reader.connect() as connection:
        return connection.execute(_NEXT_PAGE, bounds).all()


def foresee(works: Sequence[Work]) -> None:
    """Read the next pages of several mailings at once, if they are short and about to be handed over."""
    held = [(work, work.held) for work in works if not work.held.recovering]
    short = {one.id: work for work, one in held if one.size - one.cursor <= min(_SHORT, MAX_RECIPIENTS)}
    if len(short) < 2:  # noqa: PLR2004 - two are several
        return
    pages: dict[int, list[Person]] = defaultdict(list)
    now = next(iter(short.values())).now()
    with works[0].desk.reader.connect() as connection:
        for row in connection.execute(_SHORT_PAGES, {"mailing_ids": list(short)}):
            pages[row.id].append(row)
    for mailing_id, page in pages.items():
        short[mailing_id].foreseen = Foreseen(page, short[mailing_id].held.cursor, now)


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


def submitted_marks(mailing_id: int, positions: Iterable[int], day: date) -> list[Mark]:
    """Return the marks of people who were handed over."""
    return [Mark(mailing_id, position, Outcome.SUBMITTED, day=day) for position in positions]


def refused_marks(mailing_id: int, refused: Mapping[int, str]) -> list[Mark]:
    """Return the marks of those whom the vendor refused, by position, with its reason; they take no place."""
    return [Mark(mailing_id, position, Outcome.REJECTED, reason=why) for position, why in refused.items()]


def accepted_marks(mailing_id: int, vendor_ids: Mapping[int, int], day: date) -> list[Mark]:
    """Return the marks of those who were read back, with the vendor's id for them by position."""
    return [
        Mark(mailing_id, at, Outcome.ACCEPTED, vendor_id, day=day) for at, vendor_id in vendor_ids.items()
    ]


def mark(connection: Connection, several: Sequence[Sequence[Mark]]) -> None:
    """Write down what became of the recipients of several mailings."""
    marks = [one for some in several for one in some]
    if marks:
        columns = zip(*marks, strict=True)
        connection.execute(_MARK, dict(zip(Mark._fields, map(list, columns), strict=True)))


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
