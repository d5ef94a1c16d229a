"""The epoch: how a restored backup, or a copy beside its living original, is known, and kept from sending.

The epoch moves on every minute, in the database and in Redis. A database whose epoch is not the one that Redis
holds is not the one that was sending a moment ago; neither is one that finds itself in another server. Such a
database is disarmed: no claim is given until a person has armed it (``worker/installation/activation.py``).
A Redis without an
epoch, new or emptied, takes the database's, and raises a doubt: this may be a copy of the server's files. No claim
is given until the vendor's orders have settled the doubt (``worker/orphans/account_ownership.py``).

What this does not see: a copy younger than a minute in the same server files.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy
from psycopg import Connection
from psycopg.rows import dict_row
from redis import Redis, RedisError

log = logging.getLogger(__name__)

PERIOD = timedelta(minutes=1)

_LOOK = """
    SELECT epoch, epoch_before, epoch_at, home, disarmed_at,
           (SELECT system_identifier FROM pg_control_system())
               || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS here
      FROM installation
"""
_SETTLE_IN = "UPDATE installation SET home = %s WHERE home IS NULL"
_DISARM = """
    UPDATE installation
       SET disarmed_at = %(now)s, disarmed_why = %(why)s
     WHERE disarmed_at IS NULL AND epoch = %(epoch)s
"""
_DOUBT = "UPDATE installation SET doubted_at = %(now)s WHERE doubted_at IS NULL"
_MOVE_ON = """
    UPDATE installation
       SET epoch_before = epoch, epoch = %(next)s, epoch_at = %(now)s
     WHERE epoch = %(epoch)s AND disarmed_at IS NULL
"""
_ARM = """
    UPDATE installation
       SET epoch_before = epoch, epoch = %(next)s, epoch_at = %(now)s, home = %(here)s,
           disarmed_at = NULL, disarmed_why = NULL
"""


@dataclass(frozen=True, slots=True)
class Epochs:
    """The epoch kept outside the database: a hash in Redis, of what is current and what is about to be."""

    redis: "Redis"
    key: str

    def read(self) -> tuple[UUID | None, UUID | None]:
        """Return the current and the coming epoch; raises RedisError."""
        current, coming = self.redis.hmget(self.key, ["current", "next"])
        return _uuid(current), _uuid(coming)

    def announce(self, epoch: UUID) -> UUID:
        """Note what is about to be current, unless somebody did already; returns what was noted."""
        self.redis.hsetnx(self.key, "next", str(epoch))
        return self.read()[1] or epoch

    def settle(self, epoch: UUID) -> None:
        """Make an epoch the current one."""
        with self.redis.pipeline() as together:
            together.hset(self.key, "current", str(epoch))
            together.hdel(self.key, "next")
            together.execute()


def open_epochs(redis_url: str | None, prefix: str) -> Epochs:
    """Return where this installation's epoch is kept outside its database."""
    url = str(redis_url).replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    return Epochs(redis, f"{prefix}epoch")


def driver(connection: sqlalchemy.Connection) -> Connection[Any]:
    """Return the driver's own connection below SQLAlchemy's."""
    below = connection.connection.driver_connection
    if not isinstance(below, Connection):
        raise TypeError("the database is not spoken to by psycopg")
    return below


def verify_and_advance(connection: Connection[Any], epochs: Epochs, now: datetime) -> bool:
    """Compare the two epochs, disarm the database if they tell of different pasts, and move them on when due.

    Returns whether the database is armed. Redis is read first: the database may only be newer than what was read.
    Without Redis nothing can be compared, and nothing is changed: no message arrives either.
    """
    try:
        current, coming = epochs.read()
        row = _look(connection)
        if row["disarmed_at"] is not None:
            return False
        why = _mismatch(row, current, coming)
        if why is not None:
            connection.execute(_DISARM, {"now": now, "why": why, "epoch": row["epoch"]})
            log.error("disarmed: %s; see `mailrun arm`", why)
            return False
        if row["home"] is None:
            connection.execute(_SETTLE_IN, [row["here"]])
        if current is None and coming is None and row["epoch_at"] is not None:
            connection.execute(_DOUBT, {"now": now})
            # Committed before Redis has the epoch: no process may find it there and no doubt here.
            connection.commit()
        if current != row["epoch"]:
            epochs.settle(row["epoch"])
        if row["epoch_at"] is None or now - row["epoch_at"] >= PERIOD:
            _move_on(connection, epochs, row["epoch"], now)
    except RedisError as error:
        log.warning("redis_trouble: epoch: %s", type(error).__name__)
    return True


def mark_active(connection: Connection[Any], epochs: Epochs, now: datetime) -> None:
    """Declare this database, where it is now, to be the one that sends. Raises RedisError."""
    fresh = uuid4()
    connection.execute(_ARM, {"next": fresh, "now": now, "here": _look(connection)["here"]})
    connection.commit()
    epochs.settle(fresh)


def _look(connection: Connection[Any]) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_LOOK).fetchone()
    if row is None:
        raise LookupError("the installation's row is missing: was the database migrated?")
    return row


def _mismatch(row: dict[str, Any], current: UUID | None, coming: UUID | None) -> str | None:
    if row["home"] not in {None, row["here"]}:
        return "this database was restored or copied into another server"
    # `epoch_before`: Redis may have lost its last second in a power cut, but never comes from the future.
    if current in {None, row["epoch"], row["epoch_before"]} or coming == row["epoch"]:
        return None
    return "this database is a copy, or older than the one that was sending last"


def _move_on(connection: Connection[Any], epochs: Epochs, epoch: UUID, now: datetime) -> None:
    """Announce first, then move, then settle: stopped anywhere in between, the next look understands it."""
    coming = epochs.announce(uuid4())
    moved = connection.execute(_MOVE_ON, {"next": coming, "now": now, "epoch": epoch})
    connection.commit()
    if moved.rowcount == 1:
        epochs.settle(coming)


def _uuid(value: bytes | str | None) -> UUID | None:
    return None if value is None else UUID(value.decode() if isinstance(value, bytes) else value)
