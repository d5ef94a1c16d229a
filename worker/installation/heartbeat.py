"""Signs of life, kept in the database: the broker is not asked who is alive (remote control is switched off)."""

import os
import socket
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from models import Heartbeat

WORKER = "worker"
DISPATCH = "dispatch"


def beat(engine: Engine, name: str, kind: str, now: datetime) -> None:
    """Note that a process, or a periodic duty, was alive at this instant."""
    statement = insert(Heartbeat).values(name=name, kind=kind, at=now)
    with engine.begin() as connection:
        connection.execute(
            statement.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": now, "kind": kind})
        )


def this_process() -> str:
    """Return this process's name: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"
