"""What becomes of a received event: each trigger that answers to it fires once, and says what came of that.

One event is one transaction: its firings, their mailings or places in a gathering, and the event's own outcome are
there together or not at all. Nothing here speaks to the vendor.
"""

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, TextClause, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from intake.campaigns.batches import rows_for
from intake.events.batches import add_to_batch, close_batch, fail_batch
from intake.events.inbox import WAITS_FOR_REPLAY
from intake.events.json_numbers import read_json
from intake.events.mailing_factory import due_time, order
from intake.events.trigger_files import in_force
from intake.events.triggers import ActiveTrigger
from intake.recipients.recipient import Recipient
from models import Event, EventBatch, EventOutcome, TriggerRun

log = logging.getLogger(__name__)

EVENT_BATCH_SIZE: Final = 200
_MOST_ATTEMPTS: Final = 8
_BROKEN: Final = "an error of Mailrun's own; the worker's log says where"
_ERASED: Final = "the person was erased before the event was answered"
_NOT_ANY_MORE: Final = "the trigger does not answer to this event any more"

# A batch may be woken again before its worker comes to its last event, so a wake counts as one attempt at most.
_WAKE_EVENTS = text("""
    WITH due AS MATERIALIZED (
        SELECT id, attempts FROM event WHERE wake_at <= :now ORDER BY wake_at, id LIMIT :room FOR UPDATE SKIP LOCKED
    )
    UPDATE event
       SET wake_at = :again, attempts = GREATEST(event.attempts, 1)
      FROM due
     WHERE event.id = due.id
    RETURNING event.id, due.attempts > 0 AS again
""")
_WAKE_GATHERINGS = text("""
    WITH due AS MATERIALIZED (
        SELECT id, attempts FROM gathering WHERE closed_at IS NULL AND close_at <= :now
         ORDER BY close_at LIMIT :room FOR UPDATE SKIP LOCKED
    )
    UPDATE gathering
       SET close_at = :again, attempts = GREATEST(gathering.attempts, 1)
      FROM due
     WHERE gathering.id = due.id
    RETURNING gathering.id, due.attempts > 0 AS again
""")
_COUNT_EVENT = text("""
    UPDATE event SET attempts = attempts + 1 WHERE id = :id AND outcome = 'received' RETURNING attempts
""")
_COUNT_GATHERING = text("""
    UPDATE gathering SET attempts = attempts + 1 WHERE id = :id AND closed_at IS NULL RETURNING attempts
""")


@dataclass(frozen=True, slots=True)
class ProcessingTime:
    """When it is, where clocks without a zone of their own hang, and when to look again at what was interrupted."""

    now: datetime
    zone: str
    again: timedelta


@dataclass(frozen=True, slots=True)
class _RunResult:
    """What came of one firing; the rest is where it led."""

    outcome: EventOutcome
    reason: str | None = None
    digest: bytes | None = None
    due: datetime | None = None
    gathering_id: int | None = None
    mailing_id: int | None = None
    position: int | None = None


def run_once(engine: Engine, tick: ProcessingTime) -> int:
    """Answer the events that are due, and close the gatherings that are; returns how many events were answered.

    What is interrupted is looked at again after ``tick.again``; several at once share the work out between them.
    """
    with engine.begin() as connection:
        bounds = {"now": tick.now, "again": tick.now + tick.again, "room": EVENT_BATCH_SIZE}
        events = sorted(tuple(row) for row in connection.execute(_WAKE_EVENTS, bounds))
        gatherings = sorted(tuple(row) for row in connection.execute(_WAKE_GATHERINGS, bounds))
        triggers = in_force(connection) if events else []
    for number, again in events:
        _guarded_answer(engine, number, triggers, tick, again=again)
    for number, again in gatherings:
        _guarded_close(engine, number, tick, again=again)
    return len(events)


def _guarded_answer(
    engine: Engine, number: int, triggers: Sequence[ActiveTrigger], tick: ProcessingTime, *, again: bool
) -> None:
    try:
        spent = again and _is_spent(engine, _COUNT_EVENT, number)
        with engine.begin() as connection:
            if spent:
                _end(connection, number, EventOutcome.FAILED, _BROKEN)
            else:
                process_event(connection, number, triggers, tick)
    except (OperationalError, PoolTimeout):
        raise
    except Exception as error:  # noqa: BLE001 - one event that we cannot answer must not keep the others waiting
        _log_failure("event_broke: event", number, error)


def _guarded_close(engine: Engine, number: int, tick: ProcessingTime, *, again: bool) -> None:
    try:
        spent = again and _is_spent(engine, _COUNT_GATHERING, number)
        with engine.begin() as connection:
            if spent:
                fail_batch(connection, number, _BROKEN, tick.now)
            else:
                close_batch(connection, number, tick.now, tick.zone)
    except (OperationalError, PoolTimeout):
        raise
    except Exception as error:  # noqa: BLE001 - as above
        _log_failure("gathering_broke: gathering", number, error)


def _is_spent(engine: Engine, count: TextClause, number: int) -> bool:
    """Count an attempt by a commit of its own, before it may kill the worker; return whether it is one too many.

    The others of its batch are not counted: a failing database or a killed worker says nothing about them.
    """
    with engine.begin() as connection:
        attempts = connection.scalar(count, {"id": number})
    return attempts is not None and attempts > _MOST_ATTEMPTS


def _log_failure(what: str, number: int, error: Exception) -> None:
    # The message could quote a person; the place cannot.
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error("%s %s: %s at %s:%s", what, number, type(error).__name__, place.name, place.lineno)


def process_event(
    connection: Connection, number: int, triggers: Sequence[ActiveTrigger], tick: ProcessingTime
) -> None:
    """Answer one event, unless somebody did; a trigger that fired for it before does not fire again."""
    event = connection.execute(
        select(Event.id, Event.body)
        .where(Event.id == number, Event.outcome == EventOutcome.RECEIVED)
        .with_for_update()
    ).one_or_none()
    if event is None:
        return
    fired = _previous_runs(connection, number)
    if event.body is None:
        # What was mailed before it was blanked stays as it is: only what a replay asked for cannot be done.
        _end_stale_runs(connection, number, EventOutcome.FAILED, _ERASED)
        _end(connection, number, *((EventOutcome.ORDERED, None) if fired else (EventOutcome.FAILED, _ERASED)))
        return
    told = read_json(event.body)
    answering = [trigger for trigger in triggers if trigger.answers(told)]
    for trigger in answering:
        before = fired.get(trigger.trigger_id)
        if before is None or before.anew:
            _run_trigger(connection, number, trigger, told, before.tries if before else 1, tick)
    if answering or fired:
        _end_stale_runs(connection, number, EventOutcome.UNMATCHED, _NOT_ANY_MORE)
        _end(connection, number, EventOutcome.ORDERED, None)
    else:
        _end(connection, number, EventOutcome.UNMATCHED, why_unmatched(triggers, told))


@dataclass(frozen=True, slots=True)
class _PreviousRun:
    """A firing as it was before: how often it was tried, and whether it is to be answered anew."""

    tries: int
    anew: bool


def _previous_runs(connection: Connection, number: int) -> dict[int, _PreviousRun]:
    rows = connection.execute(
        select(TriggerRun.trigger_id, TriggerRun.tries, TriggerRun.reason).where(
            TriggerRun.event_id == number
        )
    )
    return {row.trigger_id: _PreviousRun(row.tries, row.reason == WAITS_FOR_REPLAY) for row in rows}


def why_unmatched(triggers: Sequence[ActiveTrigger], event: dict[str, Any]) -> str:
    """Return why no trigger answers to an event."""
    listening = [trigger for trigger in triggers if trigger.listens(event)]
    if not listening:
        return "no trigger is declared for this type of event"
    unmet = [f"{trigger.declared.name}: {', '.join(trigger.unmet(event))}" for trigger in listening]
    return f"conditions are not met: {'; '.join(unmet)}"


def _end(connection: Connection, number: int, outcome: EventOutcome, why: str | None) -> None:
    connection.execute(
        update(Event)
        .where(Event.id == number, Event.outcome == EventOutcome.RECEIVED)
        .values(outcome=outcome, reason=why, wake_at=None)
    )


def _run_trigger(
    connection: Connection,
    number: int,
    trigger: ActiveTrigger,
    event: dict[str, Any],
    tries: int,
    tick: ProcessingTime,
) -> None:
    came = _run(connection, number, trigger, event, tries, tick)
    values = {
        "version": trigger.version,
        "outcome": came.outcome,
        "reason": came.reason,
        "digest": came.digest,
        "due": came.due,
        "gathering_id": came.gathering_id,
        "mailing_id": came.mailing_id,
        "position": came.position,
        "at": tick.now,
    }
    statement = insert(TriggerRun).values(
        trigger_id=trigger.trigger_id, event_id=number, tries=tries, **values
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[TriggerRun.trigger_id, TriggerRun.event_id], set_=values
        )
    )
    gather = trigger.declared.gather
    if came.outcome is EventOutcome.GATHERING and gather and came.gathering_id is not None:
        size = connection.scalar(select(EventBatch.size).where(EventBatch.id == came.gathering_id))
        if (size or 0) >= gather.count:
            close_batch(connection, came.gathering_id, tick.now, tick.zone)


def _run(
    connection: Connection,
    number: int,
    trigger: ActiveTrigger,
    event: dict[str, Any],
    tries: int,
    tick: ProcessingTime,
) -> _RunResult:
    person = trigger.recipient(event)
    if not isinstance(person, Recipient):
        return _RunResult(EventOutcome.INVALID_ADDRESS, " ".join(reason.sentence for reason in person))
    due = due_time(trigger, event, tick.now, tick.zone)
    (mailable,) = rows_for(connection, [person])
    digest = mailable.digest
    if trigger.declared.gather is None:
        key = f"event:{number}:{trigger.trigger_id}:{tries}"
        mailing_id = order(connection, trigger, key, [mailable], due, tick.now, tick.zone)
        return _RunResult(EventOutcome.ORDERED, None, digest, due, None, mailing_id, 0)
    joined = add_to_batch(connection, trigger, event, digest, tick.now, tick.zone)
    if joined.twin is not None:
        why = f"the same person is in the same order for event {joined.twin}"
        return _RunResult(EventOutcome.DUPLICATE, why, digest)
    return _RunResult(EventOutcome.GATHERING, None, digest, due, joined.gathering_id)


def _end_stale_runs(connection: Connection, number: int, outcome: EventOutcome, why: str) -> None:
    """End the firings of triggers that were to answer anew and cannot, or do not any more."""
    connection.execute(
        update(TriggerRun)
        .where(TriggerRun.event_id == number, TriggerRun.reason == WAITS_FOR_REPLAY)
        .values(outcome=outcome, reason=why)
    )
