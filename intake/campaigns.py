"""Campaigns: one list of people, checked, cut into mailings and queued, in one transaction.

Killed at any point, a submission leaves nothing behind, and submitted again it is the same campaign. Its key makes it
so: two processes that submit one key at once wait for each other, and the second gets the first's campaign. Without
a key of its own a list has one by its bytes and the template, so that a command given twice mails nobody twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.postgresql import insert

from intake.check import Progress, Source, Tally, counted, rejected_rows
from intake.columns import match_columns
from intake.digests import installation_key
from intake.faults import ConflictError, Fault, IntakeError
from intake.options import LONGEST_WORD, OWN_KEYS, Options, digest_of_request, require_usable_key
from intake.people import people
from intake.suppression import require_lists
from intake.table import Table
from intake.writing import Writer
from models import Campaign, Priority, Purse
from worker import purses, recurrence
from worker.clock import Clock, system_clock
from worker.moves import NewMailing
from worker.recurrence import Repeats

DEFAULT_BATCH_SIZE: Final = 1000
"""What LettrLabs takes in one request (1000, older LettrLabs reference), so that attaching is one call."""
LARGEST_BATCH_SIZE: Final = 50_000
"""A batch is held in memory while it is written: about a kilobyte for each person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submitted campaign. `created` is False if it was there before, and this changed nothing."""

    campaign_id: int
    created: bool
    key: str
    name: str
    rows: int
    people: int
    rejected: int
    mailings: int


def submit_campaign(
    engine: Engine,
    source: Source,
    options: Options,
    *,
    name: str | None = None,
    key: str | None = None,
    mapping: Mapping[str, str] | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    repeats: Repeats | None = None,
    submitted_by: str | None = None,
    rejected_to: Path | None = None,
    progress: Progress = lambda _: None,
    clock: Clock = system_clock,
) -> Submission:
    """Queue a mailing for each `batch_size` people of a list and return the campaign they make up.

    With `repeats` this is the first occurrence of a rule, sent when the rule first fires; the others follow.
    The rejected rows are noted with the campaign and written to `rejected_to`, if there are any.

    Raises TableError, ColumnsError, or IntakeError if nobody is left to mail or an option is impossible;
    ConflictError if the key belongs to another list, or to this one with other options.
    """
    if not 1 <= batch_size <= LARGEST_BATCH_SIZE:
        raise IntakeError(Fault.BAD_OPTION, f"The batch size must be between 1 and {LARGEST_BATCH_SIZE:,}.")
    if key is not None:
        require_usable_key(key)
    if name is not None and len(name) > LONGEST_WORD:
        raise IntakeError(Fault.BAD_OPTION, f"The name must be at most {LONGEST_WORD} characters long.")
    with Table.open(source) as table:
        columns = match_columns(table.headings, mapping)
        content = {"list": table.sha256.hex(), "template": options.template_id}
        now = clock()
        order = _Order(
            key=key or f"list:{digest_of_request(content).hex()[:32]}",
            name=" ".join((name or table.name).split())[:LONGEST_WORD],
            request_digest=digest_of_request(
                {
                    **content,
                    **options.told(),
                    **({"repeats": repeats.told()} if repeats else {}),
                    "batch_size": batch_size,
                    "columns": dict(columns.positions),
                }
            ),
            options=options if repeats is None else _for_the_first(options, repeats, now),
            batch_size=batch_size,
            submitted_by=submitted_by,
        )
        with engine.begin() as connection:
            require_lists(connection, options.sparing.lists)
            campaign_id = _opened(connection, order)
            if campaign_id is None:
                return _earlier(connection, order, by_list=key is None)
            if options.limits.given:
                who = submitted_by or "intake"
                purses.set_limits(connection, Purse.CAMPAIGN, campaign_id, options.limits.given, who, now)
            if repeats is not None:
                _begin_repeating(connection, campaign_id, repeats, order.options)
            writer = Writer(connection, campaign_id, _pattern(campaign_id, order), batch_size, now)
            tally = Tally()
            with rejected_rows(rejected_to, table) as rejected:
                found = people(table, columns, installation_key(connection), options.strictness)
                writer.write(counted(found, tally, rejected, progress))
            return _finished(connection, campaign_id, order, tally, writer.mailings)


def _for_the_first(options: Options, repeats: Repeats, now: datetime) -> Options:
    return replace(options, schedule=replace(options.schedule, send=repeats.first(now)))


def _begin_repeating(connection: Connection, campaign_id: int, repeats: Repeats, options: Options) -> None:
    send = options.schedule.send
    if send is None:
        raise LookupError("a campaign that repeats has a first time")
    rule = recurrence.begin(connection, repeats, options.schedule, send.instant)
    connection.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id)
        .values(recurrence_id=rule, occurrence_at=send.instant)
    )


@dataclass(frozen=True, slots=True)
class _Order:
    key: str
    name: str
    request_digest: bytes
    options: Options
    batch_size: int
    submitted_by: str | None


def _opened(connection: Connection, order: _Order) -> int | None:
    """Return a new campaign's id, or None if the key is taken, having waited for whoever is taking it."""
    return connection.scalar(
        insert(Campaign)
        .values(
            key=order.key,
            request_digest=order.request_digest,
            name=order.name,
            rows=0,
            people=0,
            rejected=0,
            mailings=0,
        )
        .on_conflict_do_nothing(index_elements=[Campaign.key])
        .returning(Campaign.id)
    )


def _earlier(connection: Connection, order: _Order, *, by_list: bool) -> Submission:
    there = connection.execute(select(*Campaign.__table__.columns).where(Campaign.key == order.key)).one()
    if there.request_digest != order.request_digest:
        campaign = f"campaign {there.id} of {there.created_at:%Y-%m-%d %H:%M %Z}"
        what = (
            f"This list was sent with this template before, with other options, as {campaign}"
            if by_list
            else f'The key "{order.key}" belongs to {campaign}, with another list or other options'
        )
        raise ConflictError(f"{what}: nothing was sent now; give a new key to send this as well.", there.id)
    return Submission(
        campaign_id=there.id,
        created=False,
        key=there.key,
        name=there.name,
        rows=there.rows,
        people=there.people,
        rejected=there.rejected,
        mailings=there.mailings,
    )


def _pattern(campaign_id: int, order: _Order) -> NewMailing:
    """Return what all mailings of a campaign are like."""
    options = order.options
    return NewMailing(
        key=f"{OWN_KEYS}{campaign_id}",
        request_digest=order.request_digest,
        priority=Priority.CAMPAIGN,
        template_id=options.template_id,
        postage=options.postage,
        speed=options.speed,
        size=order.batch_size,
        approval=options.approval,
        approval_over=options.approval_over,
        submitted_by=order.submitted_by,
        auto_bill=options.auto_bill,
        schedule=options.schedule,
        sparing=options.sparing,
        campaign_id=campaign_id,
    )


def _finished(
    connection: Connection, campaign_id: int, order: _Order, tally: Tally, mailings: int
) -> Submission:
    """Note what the campaign came to. Raises IntakeError if it came to nobody."""
    if not tally.people:
        raise IntakeError(
            Fault.NOBODY_TO_MAIL,
            f"None of the {tally.rows:,} rows can be mailed; row {tally.first_rejected[0][0]}: "
            f"{tally.first_rejected[0][1]}",
        )
    counts = {"rows": tally.rows, "people": tally.people, "rejected": tally.rejected, "mailings": mailings}
    connection.execute(update(Campaign).where(Campaign.id == campaign_id).values(**counts))
    return Submission(campaign_id=campaign_id, created=True, key=order.key, name=order.name, **counts)
