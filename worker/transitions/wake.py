"""Waking what is due: one scan over one partial index, whatever the reason for the wait was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, text, update

from models import Mailing, Priority, Stage, State
from worker.transitions.claims import PAUSED

# A row that is looked at is put off by `again`: should its message be lost, the scan comes back to it. The rows are
# chosen in an ARRAY, which is made once: as a join, a planner with old statistics chooses anew for every due row, and
# wakes all of them.
WAKE = text(f"""
    UPDATE mailing
       SET wake_at = :again
     WHERE id = ANY (ARRAY(SELECT id
                             FROM mailing
                            WHERE priority = :priority
                              AND wake_at <= :now
                            ORDER BY wake_at
                            LIMIT :room
                              FOR UPDATE SKIP LOCKED))
    RETURNING id, stage, state = 'working' OR recovering AS alone,
              (stage <> 'settle' AND {PAUSED}
               OR stage = 'create' AND state = 'queued' AND NOT recovering
                  AND (SELECT closed_until > :now FROM create_gate)) AS held_back
""")  # noqa: S608 - built from constants of this package


@dataclass(frozen=True, slots=True)
class DueMailing:
    """A mailing to be woken, and where its chain begins; ``alone`` if something is to be found out about it first."""

    id: int
    stage: Stage
    alone: bool = False


def wake_due(
    connection: Connection, priority: Priority, now: datetime, room: int, again: timedelta
) -> list[DueMailing]:
    """Return up to ``room`` due mailings of one priority, each put off until ``now + again``.

    Several callers at once share the due rows out between them. Those that no worker could claim now are put off and
    left out: the paused, and new creates while the gate is closed. Their messages would only stand before the others.
    """
    bounds = {"now": now, "again": now + again, "priority": int(priority), "room": room}
    rows = connection.execute(WAKE, bounds)
    return [DueMailing(row.id, Stage(row.stage), row.alone) for row in rows if not row.held_back]


def wake_recently_dispatched(
    connection: Connection, now: datetime, again: timedelta, *only: ColumnElement[bool]
) -> None:
    """Make due at once what was pushed within the last ``again`` and refused because of a gate or a pause.

    The bounds keep it to the recent end of the due index.
    """
    connection.execute(
        update(Mailing)
        .where(
            Mailing.priority.in_([int(priority) for priority in Priority]),
            Mailing.wake_at > now,
            Mailing.wake_at <= now + again,
            Mailing.state == State.QUEUED,
            Mailing.not_before <= now,
            *only,
        )
        .values(wake_at=now)
    )
