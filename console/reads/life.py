"""Who is alive, by the signs of life in the database."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from models import Heartbeat, Installation
from worker import heartbeat

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


def paused_since(connection: Connection) -> datetime | None:
    """Return since when everything is paused, or None if it is not."""
    return connection.scalars(select(Installation.paused_at)).one_or_none()
