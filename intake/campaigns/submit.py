"""Campaigns: one list of people, checked, cut into mailings and queued, in one transaction.

A submission that is killed leaves nothing behind, and submitted again it is the same campaign. Its key makes it so:
of two processes that submit one key at once, the second waits and gets the first's campaign. A campaign without a key
is known by its people, its options and its template, not by the bytes of its file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, Engine, Row, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from intake.campaigns.corrections import origin_name, origins_of
from intake.campaigns.list_reading import ListReading
from intake.campaigns.people_digest import PeopleDigest
from intake.campaigns.recent_pieces import (
    REPEAT_WINDOW,
    Again,
    RecentPieces,
    RecentPiecesError,
    RecentSenders,
    lock_template,
)
from intake.campaigns.repeats import RepeatScreen, keep_all
from intake.campaigns.writer import CampaignWriter, Screen
from intake.csv.columns import match_columns
from intake.csv.importer import RejectedRow
from intake.csv.preview import Progress, RowCounts, Source
from intake.csv.saved_mappings import mapping_for
from intake.csv.table import Table
from intake.errors import ConflictError, ErrorCode, IntakeError
from intake.options import LONGEST_WORD, OWN_KEYS, Options, digest_of_request, require_usable_key
from intake.recipients.digests import installation_key
from intake.recipients.rows import RecipientRow
from intake.recipients.strictness import Strictness
from intake.suppression.lists import require_lists
from models import BudgetScope, Campaign, Mailing, Priority, State
from worker.billing import budget_limits
from worker.clock import Clock, system_clock
from worker.scheduling import recurrence_rules
from worker.scheduling.recurrence_rules import RecurrenceRule
from worker.transitions import NewMailing

DEFAULT_BATCH_SIZE: Final = 1000
"""What LettrLabs takes in one request (1000, older LettrLabs reference), so that attaching is one call."""
LARGEST_BATCH_SIZE: Final = 50_000
"""A batch is held in memory while it is written: about a kilobyte for each person."""

_KEYLESS: Final = "list:"


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
    sheet: str | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    repeats: RecurrenceRule | None = None,
    again: Again | str | None = None,
    repeat_window: timedelta = REPEAT_WINDOW,
    submitted_by: str | None = None,
    submitter_token: str | None = None,
    rejected_to: Path | None = None,
    progress: Progress = lambda _: None,
    clock: Clock = system_clock,
) -> Submission:
    """Queue a mailing for each `batch_size` people of a list and return the campaign they make up.

    With `repeats` this is the first occurrence of a rule, sent when the rule first fires; the others follow.
    If people got the template within `repeat_window`, `again` decides who gets it: everybody, or only the new ones.
    The rejected rows are noted with the campaign; those to correct are written to `rejected_to`.

    Raises TableError, ColumnsError, or IntakeError if no one is left to mail or an option is impossible;
    RecentPiecesError if people got the template lately and `again` is None;
    ConflictError if the key belongs to another list, or to this one with other options.
    """
    _require_usable(name, key, batch_size)
    with Table.open(source, sheet=sheet, known=mapping or ()) as table:
        if mapping is None:
            mapping = mapping_for(engine, table.headings)
        now = clock()
        order = _SubmissionRequest(
            key=key,
            name=" ".join((name or table.name).split())[:LONGEST_WORD],
            options=options if repeats is None else _for_the_first(options, repeats, now),
            asked={
                **options.told(),
                **({"repeats": repeats.told()} if repeats else {}),
                "batch_size": batch_size,
            },
            batch_size=batch_size,
            repeats=repeats,
            again=None if again is None else _known_again(again),
            repeat_window=repeat_window,
            submitted_by=submitted_by,
            submitter_token=submitter_token,
            now=now,
        )
        strict = options.strictness is Strictness.STRICT
        columns = match_columns(table.headings, mapping, strict=strict)
        reading = ListReading(table, columns, rejected_to, progress)
        try:
            with engine.begin() as connection:
                return _submit(connection, order, reading)
        except _SubmittedBefore as before:
            return before.submission


class _SubmittedBefore(Exception):  # noqa: N818 - it undoes what was written, and is no error
    def __init__(self, submission: Submission) -> None:
        super().__init__()
        self.submission = submission


@dataclass(frozen=True, slots=True, kw_only=True)
class _SubmissionRequest:
    """What was asked for: `asked` is all of it but the people, as JSON knows it."""

    key: str | None
    name: str
    options: Options
    asked: Mapping[str, Any]
    batch_size: int
    repeats: RecurrenceRule | None
    again: Again | None
    repeat_window: timedelta
    submitted_by: str | None
    submitter_token: str | None
    now: datetime

    @property
    def since(self) -> datetime:
        """The time since which a paid piece is a recent one."""
        return self.now - self.repeat_window

    def digest(self, people: PeopleDigest) -> bytes:
        """Return the digest by which the campaign to these people is known."""
        return digest_of_request({**self.asked, "people": people.hex()})


def _require_usable(name: str | None, key: str | None, batch_size: int) -> None:
    if not 1 <= batch_size <= LARGEST_BATCH_SIZE:
        raise IntakeError(
            ErrorCode.BAD_OPTION, f"The batch size must be between 1 and {LARGEST_BATCH_SIZE:,}."
        )
    if key is not None:
        require_usable_key(key)
    if name is not None and len(name) > LONGEST_WORD:
        raise IntakeError(ErrorCode.BAD_OPTION, f"The name must be at most {LONGEST_WORD} characters long.")


def _known_again(again: Again | str) -> Again:
    try:
        return Again(again)
    except ValueError:
        raise IntakeError(ErrorCode.BAD_OPTION, f"again must be {' or '.join(Again)}.") from None


def _submit(connection: Connection, order: _SubmissionRequest, reading: ListReading) -> Submission:
    """Write the campaign and decide about it; raises _SubmittedBefore to undo what was written."""
    lock_template(connection, order.options.template_id)
    require_lists(connection, order.options.sparing.lists)
    key = installation_key(connection)
    campaign_id = _opened(connection, order)
    if campaign_id is None:
        return _earlier(connection, order, reading, key)
    _prepare(connection, campaign_id, order)
    origins = origins_of(reading.table, key)
    recent = RecentSenders(order.options.template_id)
    screen = _screen(connection, campaign_id, order, origins, recent)
    pattern = _pattern(campaign_id, order)
    writer = CampaignWriter(
        connection, campaign_id, pattern, order.batch_size, _counting(screen, reading.tally), order.now
    )
    origin = " ".join(origin_name(one, key) for one in [*origins, campaign_id])
    reading.write(writer, key, order.options.strictness, origin)
    _require_first_time(connection, campaign_id, order, reading)
    if recent.repeated and order.again is None:
        raise RecentPiecesError(recent, order.now)
    return _finished(connection, campaign_id, order, reading, writer.mailings)


def _prepare(connection: Connection, campaign_id: int, order: _SubmissionRequest) -> None:
    if order.options.limits.given:
        who = order.submitted_by or "intake"
        budget_limits.set_limits(
            connection, BudgetScope.CAMPAIGN, campaign_id, order.options.limits.given, who, order.now
        )
    if order.repeats is not None:
        _begin_repeating(connection, campaign_id, order.repeats, order.options)


def _screen(
    connection: Connection,
    campaign_id: int,
    order: _SubmissionRequest,
    origins: Sequence[int],
    recent: RecentSenders,
) -> Screen:
    if order.again is Again.EVERYBODY and not origins:
        return keep_all
    pieces = RecentPieces(
        connection,
        order.options.template_id,
        order.since,
        own=campaign_id,
        corrected=origins,
        any_template_piece=order.again is not Again.EVERYBODY,
    )
    return RepeatScreen(pieces, recent, only_new=order.again is Again.NEW).screen


def _counting(screen: Screen, tally: RowCounts) -> Screen:
    def screened(found: list[RecipientRow]) -> tuple[list[RecipientRow], Sequence[RejectedRow]]:
        kept, left_out = screen(found)
        tally.leave_out(left_out)
        return kept, left_out

    return screened


def _require_first_time(
    connection: Connection, campaign_id: int, order: _SubmissionRequest, reading: ListReading
) -> None:
    """Raise _SubmittedBefore if a campaign without a key was submitted before, and is not over unpaid.

    Of a list that is to go to new people only, what was submitted before matters once no one is new.
    """
    if order.key is not None or order.again is Again.EVERYBODY:
        return
    if order.again is Again.NEW and reading.tally.people:
        return
    alive = or_(Mailing.paid_at > order.since, Mailing.state.not_in(_OVER) & Mailing.paid_at.is_(None))
    there = connection.execute(
        select(*Campaign.__table__.columns)
        .where(
            Campaign.request_digest == order.digest(reading.digest),
            Campaign.key.startswith(_KEYLESS),
            Campaign.id != campaign_id,
            exists().where(Mailing.campaign_id == Campaign.id, alive),
        )
        .order_by(Campaign.id.desc())
        .limit(1)
    ).one_or_none()
    if there is not None:
        raise _SubmittedBefore(_as_submission(there))


_OVER: Final = (State.FAILED, State.CANCELLED)


def _for_the_first(options: Options, repeats: RecurrenceRule, now: datetime) -> Options:
    return replace(options, schedule=replace(options.schedule, send=repeats.first(now)))


def _begin_repeating(
    connection: Connection, campaign_id: int, repeats: RecurrenceRule, options: Options
) -> None:
    send = options.schedule.send
    if send is None:
        raise LookupError("a campaign that repeats has a first time")
    rule = recurrence_rules.begin(connection, repeats, options.schedule, send.instant)
    connection.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id)
        .values(recurrence_id=rule, occurrence_at=send.instant)
    )


def _opened(connection: Connection, order: _SubmissionRequest) -> int | None:
    """Return a new campaign's id, or None if the key is taken, after a submission that is taking it has ended.

    Its digest follows when its people are known.
    """
    return connection.scalar(
        insert(Campaign)
        .values(
            key=order.key or f"{_KEYLESS}{uuid4().hex}",
            request_digest=b"",
            name=order.name,
            rows=0,
            people=0,
            rejected=0,
            mailings=0,
        )
        .on_conflict_do_nothing(index_elements=[Campaign.key])
        .returning(Campaign.id)
    )


def _earlier(
    connection: Connection, order: _SubmissionRequest, reading: ListReading, key: bytes
) -> Submission:
    there = connection.execute(select(*Campaign.__table__.columns).where(Campaign.key == order.key)).one()
    reading.read(key, order.options.strictness)
    if there.request_digest != order.digest(reading.digest):
        campaign = f"campaign {there.id} of {there.created_at:%Y-%m-%d %H:%M %Z}"
        raise ConflictError(
            f'The key "{order.key}" belongs to {campaign}, with another list or other options: nothing was sent '
            "now; give a new key to send this as well.",
            there.id,
        )
    return _as_submission(there)


def _as_submission(there: Row[Any]) -> Submission:
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


def _pattern(campaign_id: int, order: _SubmissionRequest) -> NewMailing:
    """Return what all mailings of a campaign are like."""
    options = order.options
    return NewMailing(
        key=f"{OWN_KEYS}{campaign_id}",
        request_digest=digest_of_request(order.asked),
        priority=Priority.CAMPAIGN,
        template_id=options.template_id,
        postage=options.postage,
        speed=options.speed,
        size=order.batch_size,
        approval=options.approval,
        approval_over=options.approval_over,
        submitted_by=order.submitted_by,
        submitter_token=order.submitter_token,
        auto_bill=options.auto_bill,
        schedule=options.schedule,
        sparing=options.sparing,
        campaign_id=campaign_id,
    )


def _finished(
    connection: Connection, campaign_id: int, order: _SubmissionRequest, reading: ListReading, mailings: int
) -> Submission:
    """Note the campaign's digest and counts. Raises IntakeError if it has no people."""
    tally = reading.tally
    if not tally.people:
        raise IntakeError(
            ErrorCode.NOBODY_TO_MAIL,
            f"None of the {tally.rows:,} rows can be mailed; row {tally.first_rejected[0][0]}: "
            f"{tally.first_rejected[0][1]}",
        )
    counts = {"rows": tally.rows, "people": tally.people, "rejected": tally.rejected, "mailings": mailings}
    key = connection.scalars(
        update(Campaign)
        .where(Campaign.id == campaign_id)
        .values(request_digest=order.digest(reading.digest), **counts)
        .returning(Campaign.key)
    ).one()
    return Submission(campaign_id=campaign_id, created=True, key=key, name=order.name, **counts)
