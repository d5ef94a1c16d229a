"""Gathering: a trigger's events become one order, up to a count, an age or a day to mail by.

Joining and closing are one transaction each, and both hold the gathering's row. So an event is in exactly one order,
a closed gathering takes nobody any more, and a crash in the middle leaves everything as it was before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert

from intake.campaigns.batches import rows_for
from intake.events.durations import LONGEST, end_of
from intake.events.json_numbers import read_json
from intake.events.mailing_factory import order
from intake.events.trigger_files import version_of
from intake.events.triggers import ActiveTrigger
from intake.recipients.recipient import Recipient
from models import Event, EventBatch, EventOutcome, TriggerRun

_ASSIGN = text("""
    UPDATE firing AS f
       SET outcome = 'ordered', mailing_id = :mailing_id, position = given.position, reason = NULL, at = :now
      FROM unnest(CAST(:ids AS bigint[]), CAST(:positions AS integer[])) AS given (id, position)
     WHERE f.id = given.id
""")


@dataclass(frozen=True, slots=True)
class BatchMembership:
    """The gathering an event belongs to now, and how many are in it; ``twin`` is who is in it in its stead."""

    gathering_id: int
    size: int
    twin: int | None = None


@dataclass(frozen=True, slots=True)
class _BatchMember:
    firing_id: int
    due: datetime | None
    body: str | None


def add_to_batch(
    connection: Connection,
    trigger: ActiveTrigger,
    event: dict[str, Any],
    digest: bytes,
    now: datetime,
    zone: str,
) -> BatchMembership:
    """Take a person into the gathering that is open, opening one if need be, and hold it until the commit.

    A person who is in it already, for another event, is not taken twice.
    """
    statement = insert(EventBatch).values(
        trigger_id=trigger.trigger_id,
        version=trigger.version,
        size=0,
        opened_at=now,
        close_at=_closing_time(trigger, event, now, zone),
    )
    gathering = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[EventBatch.trigger_id, EventBatch.version],
            index_where=EventBatch.closed_at.is_(None),
            set_={"close_at": text("LEAST(gathering.close_at, excluded.close_at)")},
        ).returning(EventBatch.id, EventBatch.size)
    ).one()
    twin = connection.scalar(
        select(TriggerRun.event_id).where(
            TriggerRun.gathering_id == gathering.id,
            TriggerRun.digest == digest,
            TriggerRun.outcome == EventOutcome.GATHERING,
        )
    )
    if twin is not None:
        return BatchMembership(gathering.id, gathering.size, twin)
    connection.execute(
        update(EventBatch).where(EventBatch.id == gathering.id).values(size=gathering.size + 1)
    )
    return BatchMembership(gathering.id, gathering.size + 1)


def _closing_time(trigger: ActiveTrigger, event: dict[str, Any], now: datetime, zone: str) -> datetime:
    gather = trigger.declared.gather
    day = trigger.mail_by(event)
    ends = [now + (LONGEST if gather is None or gather.age is None else gather.age)]
    if day is not None:
        ends.append(end_of(day, zone))
    return max(now, min(ends))


def close_batch(connection: Connection, gathering_id: int, now: datetime, zone: str) -> int | None:
    """Make a gathering's order and return its mailing's id; None if it was closed before, or nobody is left of it.

    Who was erased while they waited is not in it. Who is suppressed or capped the worker keeps off the order.
    """
    closed = connection.execute(
        update(EventBatch)
        .where(EventBatch.id == gathering_id, EventBatch.closed_at.is_(None))
        .values(closed_at=now)
        .returning(EventBatch.trigger_id, EventBatch.version)
    ).one_or_none()
    if closed is None:
        return None
    trigger = version_of(connection, closed.trigger_id, closed.version)
    kept: list[_BatchMember] = []
    people: list[Recipient] = []
    for member in _members(connection, gathering_id):
        person = _person(trigger, member)
        if isinstance(person, Recipient):
            kept.append(member)
            people.append(person)
        else:
            _leave_out(connection, member.firing_id, *person, now)
    if not people:
        return None
    key = f"gathering:{gathering_id}"
    mailing_id = order(connection, trigger, key, rows_for(connection, people), _latest(kept), now, zone)
    connection.execute(
        _ASSIGN,
        {
            "mailing_id": mailing_id,
            "now": now,
            "ids": [member.firing_id for member in kept],
            "positions": list(range(len(kept))),
        },
    )
    connection.execute(update(EventBatch).where(EventBatch.id == gathering_id).values(mailing_id=mailing_id))
    return mailing_id


def _members(connection: Connection, gathering_id: int) -> list[_BatchMember]:
    rows = connection.execute(
        select(TriggerRun.id, TriggerRun.due, Event.body)
        .join(Event, Event.id == TriggerRun.event_id)
        .where(TriggerRun.gathering_id == gathering_id, TriggerRun.outcome == EventOutcome.GATHERING)
        .order_by(TriggerRun.id)
    )
    return [_BatchMember(row.id, row.due, row.body) for row in rows]


def _person(trigger: ActiveTrigger, member: _BatchMember) -> Recipient | tuple[EventOutcome, str]:
    if member.body is None:
        return EventOutcome.SUPPRESSED, "the person was erased before the order was made"
    found = trigger.recipient(read_json(member.body))
    if isinstance(found, Recipient):
        return found
    return EventOutcome.INVALID_ADDRESS, " ".join(reason.sentence for reason in found)


def _leave_out(
    connection: Connection, firing_id: int, outcome: EventOutcome, why: str, now: datetime
) -> None:
    connection.execute(
        update(TriggerRun).where(TriggerRun.id == firing_id).values(outcome=outcome, reason=why, at=now)
    )


def _latest(members: Sequence[_BatchMember]) -> datetime | None:
    return max((member.due for member in members if member.due is not None), default=None)


def fail_batch(connection: Connection, gathering_id: int, why: str, now: datetime) -> None:
    """Close a gathering that cannot be made an order, failing everybody in it."""
    connection.execute(
        update(TriggerRun)
        .where(TriggerRun.gathering_id == gathering_id, TriggerRun.outcome == EventOutcome.GATHERING)
        .values(outcome=EventOutcome.FAILED, reason=why, at=now)
    )
    connection.execute(
        update(EventBatch)
        .where(EventBatch.id == gathering_id, EventBatch.closed_at.is_(None))
        .values(closed_at=now)
    )
