"""Who is alive, by the signs of life in the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from models import Heartbeat, Installation
from worker.installation import heartbeat

# Workers show life every 10 s; three missed ones are no hiccup.
WORKER_SILENCE: Final = timedelta(seconds=30)


def latest_tick(connection: Connection) -> datetime | None:
    """Return when the beat last had due mailings looked for."""
    return connection.scalars(
        select(Heartbeat.at)
        .where(Heartbeat.kind == heartbeat.DISPATCH)
        .order_by(Heartbeat.at.desc())
        .limit(1)
    ).one_or_none()


def workers_alive(connection: Connection) -> int:
    """Return how many worker processes showed life just now."""
    return connection.scalars(
        select(func.count()).where(
            Heartbeat.kind == heartbeat.WORKER, Heartbeat.at > func.clock_timestamp() - WORKER_SILENCE
        )
    ).one()


def at_work_since(connection: Connection, began: datetime) -> bool:
    """Return whether a worker showed life, and due mailings were looked for, since then."""
    seen = select(Heartbeat.kind).where(Heartbeat.at >= began).distinct()
    return set(connection.scalars(seen)) >= {heartbeat.WORKER, heartbeat.DISPATCH}


@dataclass(frozen=True, slots=True)
class SendingBlocked:
    """What keeps everything from being written to the vendor: a person's pause, or a database that may be a copy."""

    paused_at: datetime | None = None
    disarmed_why: str | None = None
    doubted_at: datetime | None = None


def shared_why(connection: Connection) -> str | None:
    """Return what contradicts that the account is this installation's alone, None if nothing does."""
    return connection.scalar(select(Installation.shared_why))


def halt(connection: Connection) -> SendingBlocked:
    """Return what keeps everything from going on, both None if nothing does."""
    row = connection.execute(
        select(Installation.paused_at, Installation.disarmed_why, Installation.doubted_at)
    ).one_or_none()
    return SendingBlocked() if row is None else SendingBlocked(*row)
