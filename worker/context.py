"""The desk: what every task of a process works with. Built once in each process, after any fork."""

import select
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from pydantic import SecretStr
from pydantic_core import from_json
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError

from lettrlabs import LettrLabs, RateLimit, Timeouts
from worker.clock import SKEW, Clock, system_clock
from worker.group_commit import GroupCommitter
from worker.installation.epoch import Epochs, driver, open_epochs, verify_and_advance
from worker.settings import SANDBOX_KEY, Settings, SettingsError

# Messages at once in a process, and calls at once. A message may be of several mailings, and a slow vendor is asked
# for all of them at the same time; with a fast one, threads beyond these few only get into each other's way.
MESSAGE_THREADS = 8
CALL_POOL_SIZE = 16
# A server whose machine is gone sends no reset: TCP gives such a connection up after half a minute.
_DEAD_SERVER = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# A remote vendor takes longer than this for anything; one close by does not, unless the machine is busy.
SLOW_SECONDS = 0.04
_LONGEST_CALL = timedelta(seconds=Timeouts().worst())


@dataclass(frozen=True)
class WorkerContext:
    """The database, the vendor, the settings and the clock."""

    engine: Engine
    vendor: LettrLabs
    settings: Settings
    clock: Clock = system_clock

    @cached_property
    def reader(self) -> Engine:
        """The same connections, for reading one statement at a time: without a transaction it is one round trip."""
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @cached_property
    def aside(self) -> ThreadPoolExecutor:
        """Threads for a second call of one mailing at the same time."""
        return ThreadPoolExecutor(CALL_POOL_SIZE, thread_name_prefix="aside")

    @cached_property
    def call_pool(self) -> ThreadPoolExecutor:
        """Threads for the calls of several mailings at the same time."""
        return ThreadPoolExecutor(CALL_POOL_SIZE, thread_name_prefix="caller")

    @cached_property
    def commits(self) -> GroupCommitter[Any, Any]:
        """The commits of what this process came to: of one message's mailings, and of others' that wait as well."""
        return GroupCommitter()

    @property
    def lease(self) -> timedelta:
        """How long a claim holds."""
        return timedelta(seconds=self.settings.lease_seconds)

    @property
    def longest_call(self) -> timedelta:
        """How long one call to the vendor can take; shorter than a lease."""
        return _LONGEST_CALL

    @property
    def redispatch_after(self) -> timedelta:
        """After how long a message counts as lost."""
        return timedelta(seconds=self.settings.push_again_seconds)

    def close(self) -> None:
        """Let go of the threads and the connections."""
        for name in ("callers", "aside"):
            if name in self.__dict__:
                getattr(self, name).shutdown()
        self.vendor.close()
        self.engine.dispose()


def open_engine(database_url: str, *, connections: int = CALL_POOL_SIZE) -> Engine:
    """Return an engine with a connection for each thread; connects on first use."""
    engine = create_engine(
        database_url,
        pool_size=connections,
        max_overflow=MESSAGE_THREADS,
        pool_timeout=10,
        # The warmest connection first: each prepares and plans its statements by itself, and most are idle.
        pool_use_lifo=True,
        # A page has a thousand JSON documents of merge fields, and the standard library reads them more slowly.
        json_deserializer=from_json,
        # An error message would otherwise quote the names and addresses in a statement.
        hide_parameters=True,
        connect_args={
            "client_encoding": "utf8",
            "connect_timeout": 5,
            "application_name": "mailrun",
            "prepare_threshold": 1,
            **_DEAD_SERVER,
        },
    )
    event.listen(engine, "connect", _measure_skew)
    event.listen(engine, "checkout", _require_life)
    return engine


def measure_skew(engine: Engine) -> None:
    """Compare this machine's clock with the database's anew: either may have been set since the last connection."""
    with engine.connect() as connection:
        SKEW.measure(driver(connection))


def _measure_skew(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    SKEW.measure(connection)
    connection.commit()


def _require_life(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401 - the driver's own
    """Have the pool make another connection for one whose server has said something since it was last used.

    A server that ends says so first (FATAL 57P01), and one that died is told by its kernel. Asking it with a
    statement, as SQLAlchemy's `pool_pre_ping` does, costs a round trip before each transaction.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise DisconnectionError("the server has closed this connection")


def open_vendor(settings: Settings, *, connections: int = MESSAGE_THREADS + 2 * CALL_POOL_SIZE) -> LettrLabs:
    """Return a client of the account; one rate limit is shared by all processes through Redis."""
    return LettrLabs(
        settings.base_url,
        settings.api_key or SecretStr(SANDBOX_KEY),
        rate=RateLimit(settings.redis_url, per_second=settings.rate, prefix=settings.broker_prefix),
        connections=connections,
    )


def open_context(settings: Settings, *, clock: Clock = system_clock) -> WorkerContext:
    """Return the desk of this process.

    Raises SettingsError if no database is named, or if a claim could run out while its call is still under way.
    """
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL: must name the database; `mailrun up` starts one by itself")
    longest = _LONGEST_CALL.total_seconds()
    if settings.lease_seconds <= longest:
        raise SettingsError(
            f"MAILRUN_LEASE_SECONDS: must be more than {longest:g}, the longest that one call can take"
        )
    engine = open_engine(settings.database_url)
    _limit_idle_transactions(engine)
    if settings.redis_url is not None:
        _watch_epoch(engine, open_epochs(settings.redis_url, settings.broker_prefix), clock)
    return WorkerContext(engine, open_vendor(settings), settings, clock)


def _limit_idle_transactions(engine: Engine) -> None:
    """Have PostgreSQL end the transaction of a process that was stopped in it: others wait for its rows and the gate.

    No transaction of ours pauses for a second; half a minute is well within a lease.
    """

    @event.listens_for(engine, "connect")
    def limit(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
        connection.execute("SET idle_in_transaction_session_timeout = '30s'")
        connection.commit()


def _watch_epoch(engine: Engine, epochs: Epochs, clock: Clock) -> None:
    """Look at the epoch on each new connection: a database that was swapped for another needs one."""

    @event.listens_for(engine, "connect")
    def look(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
        verify_and_advance(connection, epochs, clock())
        connection.commit()
