"""Events as they come in: each written down once, before anybody is told that it was received.

What is to be done about one is decided afterwards (`intake.events.processor`), by the tick, so that a flood
of events is taken at the speed of the database and a slow decision keeps no sender waiting.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, select, text, tuple_, update

from intake.errors import ConflictError
from intake.events.cloudevents import CloudEvent
from models import Event, EventOutcome, Mailing, Stage, State, TriggerRun
from worker.clock import Clock, system_clock

# One statement for one event and for many: a list of values would be compiled anew for each request.
_WRITE: Final = text("""
    INSERT INTO event (source, event_id, type, digest, body, received_at, wake_at)
    SELECT *, CAST(:now AS timestamptz), CAST(:now AS timestamptz)
      FROM unnest(CAST(:sources AS text[]), CAST(:ids AS text[]), CAST(:types AS text[]),
                  CAST(:digests AS bytea[]), CAST(:bodies AS text[]))
        ON CONFLICT (source, event_id) DO NOTHING
    RETURNING id, source, event_id
""").columns(Event.id, Event.source, Event.event_id)

# The usual case by itself: arrays of one cost the driver and the planner more than the row.
_WRITE_ONE: Final = text("""
    INSERT INTO event (source, event_id, type, digest, body, received_at, wake_at)
    VALUES (:source, :id, :type, :digest, :body, :now, :now)
        ON CONFLICT (source, event_id) DO NOTHING
    RETURNING id, source, event_id
""").columns(Event.id, Event.source, Event.event_id)

WAITS_FOR_REPLAY: Final = "is answered anew"


@dataclass(frozen=True, slots=True)
class Received:
    """One event's number, which is its receipt's. ``created`` is False if it was there before, the same."""

    number: int
    created: bool


def receive(engine: Engine, events: Iterable[CloudEvent], *, clock: Clock = system_clock) -> list[Received]:
    """Write events down, all or none, and return what became of each, in their order.

    Raises ConflictError if one's source and id belong to an event with other content.
    """
    events = list(events)
    if not events:
        return []
    by_key: dict[tuple[str, str], CloudEvent] = {}
    for event in events:
        other = by_key.setdefault((event.source, event.id), event)
        if other.content != event.content:
            raise ConflictError(
                f"{_place(events, event)}: the batch holds another event of this source and id.", 0
            )
    with engine.begin() as connection:
        new = _insert(connection, by_key, clock())
        old = _earlier(connection, by_key, new)
        for event in events:
            key = (event.source, event.id)
            if key in old and old[key][1] != event.digest:
                raise ConflictError(
                    f"{_place(events, event)}: its source and id belong to event {old[key][0]}, which says "
                    "something else: nothing was taken now; what is new needs a new id.",
                    old[key][0],
                )
    return [
        Received(new[key], created=True) if key in new else Received(old[key][0], created=False)
        for key in ((event.source, event.id) for event in events)
    ]


def _place(events: list[CloudEvent], event: CloudEvent) -> str:
    return "The event" if len(events) == 1 else f"Event {events.index(event) + 1} of the batch"


def _insert(
    connection: Connection, events: dict[tuple[str, str], CloudEvent], now: datetime
) -> dict[tuple[str, str], int]:
    # In one order for everybody: two batches with the same events wait for each other, never in a ring.
    rows = [event for _, event in sorted(events.items())]
    if len(rows) == 1:
        (one,) = rows
        values: dict[str, Any] = {"source": one.source, "id": one.id, "type": one.type, "now": now}
        found = connection.execute(_WRITE_ONE, values | {"digest": one.digest, "body": one.body})
        return {(row.source, row.event_id): row.id for row in found}
    values = {
        "sources": [event.source for event in rows],
        "ids": [event.id for event in rows],
        "types": [event.type for event in rows],
        "digests": [event.digest for event in rows],
        "bodies": [event.body for event in rows],
        "now": now,
    }
    found = connection.execute(_WRITE, values)
    return {(row.source, row.event_id): row.id for row in found}


def _earlier(
    connection: Connection, events: dict[tuple[str, str], CloudEvent], new: dict[tuple[str, str], int]
) -> dict[tuple[str, str], tuple[int, bytes]]:
    missing = events.keys() - new.keys()
    if not missing:
        return {}
    found = connection.execute(
        select(Event.id, Event.source, Event.event_id, Event.digest).where(
            tuple_(Event.source, Event.event_id).in_(missing)
        )
    )
    return {(row.source, row.event_id): (row.id, row.digest) for row in found}


def replay(connection: Connection, number: int, now: datetime) -> bool:
    """Have an event answered anew wherever nobody was, and will be, mailed for it; False if there is no such event.

    A firing whose mailing was cancelled, or failed before its checkout, is answered anew too. One that was mailed,
    is about to be, or may have been, stays as it is.
    """
    found = connection.scalar(select(Event.id).where(Event.id == number).with_for_update())
    if found is None:
        return False
    never_paid = select(Mailing.id).where(
        (Mailing.state == State.CANCELLED)
        | ((Mailing.state == State.FAILED) & Mailing.stage.not_in([Stage.CHECKOUT, Stage.SETTLE]))
    )
    ended = TriggerRun.outcome.not_in([EventOutcome.GATHERING, EventOutcome.ORDERED])
    connection.execute(
        update(TriggerRun)
        .where(TriggerRun.event_id == number, ended | TriggerRun.mailing_id.in_(never_paid))
        .values(
            outcome=EventOutcome.FAILED,
            reason=WAITS_FOR_REPLAY,
            mailing_id=None,
            position=None,
            gathering_id=None,
            tries=TriggerRun.tries + 1,
            at=now,
        )
    )
    connection.execute(
        update(Event)
        .where(Event.id == number)
        .values(outcome=EventOutcome.RECEIVED, reason=None, wake_at=now, attempts=0)
    )
    return True
