"""Who waits in a gathering: on no mailing yet, and still somebody who may ask what is kept about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from intake.events.json_numbers import read_json
from intake.events.trigger_files import version_of
from intake.recipients.digests import installation_key
from intake.recipients.recipient import Recipient
from models import Event, EventBatch, EventOutcome, IdentityKind, TriggerRun


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event in an open gathering, and what its person is known by: each mark, and the digest of the whole."""

    number: int
    marks: Mapping[IdentityKind, bytes]
    whole: bytes


def waiting(connection: Connection, marks: Mapping[IdentityKind, bytes]) -> list[PendingEvent]:
    """Return who waits and is known by one of these marks.

    Holds the open gatherings until the commit: none of them is closed, and nobody joins one, meanwhile.
    """
    connection.execute(select(EventBatch.id).where(EventBatch.closed_at.is_(None)).with_for_update())
    wanted = set(marks.items())
    return [one for one in _everybody(connection) if wanted & set(one.marks.items())]


def _everybody(connection: Connection) -> Iterator[PendingEvent]:
    rows = connection.execute(
        select(Event.id, Event.body, TriggerRun.trigger_id, TriggerRun.version)
        .join(TriggerRun, TriggerRun.event_id == Event.id)
        .where(TriggerRun.outcome == EventOutcome.GATHERING, Event.body.is_not(None))
        .order_by(Event.id)
    ).all()
    triggers = {one: version_of(connection, *one) for one in {(row.trigger_id, row.version) for row in rows}}
    key = installation_key(connection)
    for row in rows:
        person = triggers[row.trigger_id, row.version].recipient(read_json(row.body))
        if isinstance(person, Recipient):
            digests = person.known_by(key)
            yield PendingEvent(row.id, digests.marks(), digests.whole)
