"""The recipients of a mailing in the worker's hands: read by the page, and written to the wire."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, cast

from sqlalchemy import Connection, func, select, text, update

from lettrlabs import MAX_RECIPIENTS, NewMetadata, NewRecipient
from models import DO_NOT_MAIL, Outcome, Recipient
from worker.job import MAX_ROW_AGE, Foreseen, StageJob
from worker.page_recipient import Page, PageRecipient
from worker.recipients import matching
from worker.transitions.claims import PAUSED

# The rows by which recipient `r` of a `mailing` is suppressed.
_SUPPRESSING: Final = f"""
      FROM suppression
     WHERE digest IN (r.person_digest, r.address_digest, r.email_digest, r.customer_digest)
       AND list = ANY (CAST(ARRAY['{DO_NOT_MAIL}'] AS text[]) || mailing.suppress)
"""
# The list and the mark by which they are, of several the first.
SUPPRESSION: Final = f"""
    SELECT list, mark
    {_SUPPRESSING}
     ORDER BY list, mark
     LIMIT 1
"""

# With each recipient whether they are on a list by now, and whether the mailing is to go on at all: both are looked
# at right before a page is handed over, and one look is enough for both. In the order of Person's fields.
_PAGE = f"""
    WITH mailing AS MATERIALIZED (
        SELECT id, {{cursor}} AS cursor, suppress, cancel_requested OR {PAUSED} AS halted
          FROM mailing
         WHERE {{which}}
    )
    SELECT mailing.id, r.position, r.first_name, r.last_name, r.organization, r.salutation, r.address1, r.address2,
           r.city, r.state, r.zip_code, r.country, r.email, r.merge, r.person_digest, r.address_digest,
           EXISTS (SELECT {_SUPPRESSING}) AS suppressed, mailing.halted
      FROM mailing
      JOIN recipient AS r ON r.mailing_id = mailing.id
     WHERE r.position >= mailing.cursor
     ORDER BY mailing.id, r.position
"""  # noqa: S608 - built from constants of this package
_NEXT_PAGE = text(f"{_PAGE.format(cursor='CAST(:cursor AS integer)', which='id = :mailing_id')} LIMIT :room")
_SHORT_PAGES = text(_PAGE.format(cursor="cursor", which="id = ANY (:mailing_ids)"))
_RECOGNISED_BY: Final = (
    Recipient.position,
    Recipient.first_name,
    Recipient.last_name,
    Recipient.organization,
    Recipient.address1,
    Recipient.address2,
    Recipient.zip_code,
)
# What several mailings are read for at once must be little beside the wait for a longer list alone.
_SHORT: Final = 20
_SMALLER: Final = 4


def next_page(job: StageJob) -> Page:
    """Return the recipients after the cursor, as many as one request may carry (1000, older LettrLabs reference).

    Each filling has smaller pages than the one before: a vendor too slow to answer for a thousand may for a few.
    """
    seen, job.foreseen = job.foreseen, None
    if seen is not None and seen.cursor == job.mailing.cursor and job.now() - seen.at <= MAX_ROW_AGE:
        return seen.page
    room = max(MAX_RECIPIENTS // _SMALLER**job.mailing.resends, 1)
    bounds = {"mailing_id": job.mailing.id, "cursor": job.mailing.cursor, "room": room}
    with job.context.reader.connect() as connection:
        return [PageRecipient._make(row) for row in connection.execute(_NEXT_PAGE, bounds).all()]


def prefetch(works: Sequence[StageJob]) -> None:
    """Read the next pages of several mailings at once, if they are short and about to be handed over."""
    claimed = [(job, job.mailing) for job in works if not (job.mailing.recovering or job.mailing.resends)]
    short = {one.id: job for job, one in claimed if one.size - one.cursor <= min(_SHORT, MAX_RECIPIENTS)}
    if len(short) < 2:  # noqa: PLR2004 - two are several
        return
    pages: dict[int, list[PageRecipient]] = defaultdict(list)
    now = next(iter(short.values())).now()
    with works[0].context.reader.connect() as connection:
        for row in connection.execute(_SHORT_PAGES, {"mailing_ids": list(short)}):
            pages[row.id].append(PageRecipient._make(row))
    for mailing_id, page in pages.items():
        short[mailing_id].foreseen = Foreseen(page, short[mailing_id].mailing.cursor, now)


def submitted_recipients(job: StageJob) -> dict[int, matching.Matchable]:
    """Return who should be on the order by now, by position: what they are recognised by."""
    with job.engine.connect() as connection:
        rows = connection.execute(
            select(*_RECOGNISED_BY)
            .where(
                Recipient.mailing_id == job.mailing.id,
                Recipient.outcome.in_([Outcome.SUBMITTED, Outcome.ACCEPTED]),
            )
            .order_by(Recipient.position)
        )
        return {row.position: row for row in rows}


def waiting_positions(job: StageJob) -> set[int]:
    """Return the positions of those of whom nothing has become yet."""
    with job.engine.connect() as connection:
        found = connection.scalars(
            select(Recipient.position).where(
                Recipient.mailing_id == job.mailing.id, Recipient.outcome == Outcome.WAITING
            )
        )
        return set(found)


def to_wire(person: PageRecipient) -> NewRecipient:
    """Return a recipient as LettrLabs wants it. The merge fields are the vendor's own metadata names."""
    return NewRecipient(
        address={
            "address1": person.address1,
            "address2": person.address2,
            "city": person.city,
            "state": person.state,
            "zipCode": person.zip_code,
            "country": person.country,
        },
        personal={
            "firstName": person.first_name,
            "lastName": person.last_name,
            "toOrganization": person.organization,
            "salutation": person.salutation,
        },
        metadata=cast("NewMetadata", {"email": person.email, **person.merge}),
    )


def reset_outcomes(connection: Connection, mailing_id: int) -> None:
    """Put every recipient back to where they were before anything was handed over."""
    connection.execute(
        update(Recipient)
        .where(Recipient.mailing_id == mailing_id, Recipient.outcome != Outcome.WAITING)
        .values(outcome=Outcome.WAITING, vendor_id=None, reason=None)
    )


def refused_count(job: StageJob) -> int:
    """Return how many recipients the vendor refused."""
    with job.engine.connect() as connection:
        return connection.scalars(
            select(func.count()).where(
                Recipient.mailing_id == job.mailing.id, Recipient.outcome == Outcome.REJECTED
            )
        ).one()
