"""The current time. Passed in wherever it matters, so that a test can drive it.

All processes go by the database's clock: a machine whose own clock is off would otherwise give leases and due times
that other machines read differently. Each new connection, and each heartbeat, measures how far it is off.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from psycopg import Connection

Clock: TypeAlias = Callable[[], datetime]

# A slower answer says too little: the database may have read its clock at any time while it was awaited.
_SLOWEST_ANSWER: Final = timedelta(seconds=1)
_LOOK: Final = "SELECT clock_timestamp()"


class Skew:
    """How far this machine's clock is from the database's."""

    def __init__(self, local: Clock) -> None:
        """Start without a difference; ``local`` is the machine's clock."""
        self._local = local
        self._difference = timedelta()

    @property
    def difference(self) -> timedelta:
        """What is added to the machine's time to have the database's."""
        return self._difference

    def now(self) -> datetime:
        """Return the current instant by the database's clock."""
        return self._local() + self._difference

    def measure(self, connection: Connection[Any]) -> None:
        """Compare the clocks. A difference that the new measurement allows is kept, so that time does not jitter."""
        before = self._local()
        row = connection.execute(_LOOK).fetchone()
        after = self._local()
        if row is None or not timedelta() <= after - before <= _SLOWEST_ANSWER:
            return
        theirs: datetime = row[0]
        earliest, latest = theirs - after, theirs - before
        if not earliest <= self._difference <= latest:
            self._difference = earliest + (latest - earliest) / 2


def machine_clock() -> datetime:
    """Return the current instant by this machine's own clock, aware, in UTC."""
    return datetime.now(UTC)


# A process works on one database.
SKEW: Final = Skew(machine_clock)


def system_clock() -> datetime:
    """Return the current instant by the database's clock, aware, in UTC."""
    return SKEW.now()
