"""Who waits in a gathering: on no mailing yet, and still somebody who may ask what is kept about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from intake.events.json_numbers import read_json
from intake.events.trigger_files import version_of
from intake.recipients.digests import installation_key
from intake.recipients.recipient import Recipient
from models import Event, EventOutcome, Firing, Gathering, Mark


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event in an open gathering, and what its person is known by: each mark, and the digest of the whole."""

    number: int
    marks: Mapping[Mark, bytes]
    whole: bytes


def waiting(connection: Connection, marks: Mapping[Mark, bytes]) -> list[Waiting]:
    """Return who waits and is known by one of these marks.

    Holds the open gatherings until the commit: none of them is closed, and nobody joins one, meanwhile.
    """
    connection.execute(select(Gathering.id).where(Gathering.closed_at.is_(None)).with_for_update())
    wanted = set(marks.items())
    return [one for one in _everybody(connection) if wanted & set(one.marks.items())]


def _everybody(connection: Connection) -> Iterator[Waiting]:
    rows = connection.execute(
        select(Event.id, Event.body, Firing.trigger_id, Firing.version)
        .join(Firing, Firing.event_id == Event.id)
        .where(Firing.outcome == EventOutcome.GATHERING, Event.body.is_not(None))
        .order_by(Event.id)
    ).all()
    triggers = {one: version_of(connection, *one) for one in {(row.trigger_id, row.version) for row in rows}}
    key = installation_key(connection)
    for row in rows:
        person = triggers[row.trigger_id, row.version].recipient(read_json(row.body))
        if isinstance(person, Recipient):
            digests = person.known_by(key)
            yield Waiting(row.id, digests.marks(), digests.whole)
