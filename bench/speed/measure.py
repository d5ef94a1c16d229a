"""One measurement: a contender gets its mailings, is let go, and watched until the vendor was asked for them all."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import workload
from bench.environment import Database, Sandbox, Servers, open_sandbox
from bench.processes import ProcessGroup
from bench.speed.contenders import Candidate
from bench.speed.cost import processor_seconds
from bench.workload import SampleMailing
from console.local.services import in_use
from console.local.valkey import Valkey

_LOOK_SECONDS = 0.02
_LONGEST_SECONDS = 300.0
_SLOW_ENDPOINTS = "*"


@dataclass(frozen=True, slots=True)
class Measured:
    """Mailings a second; milliseconds of processor and commits for each mailing, by layer; vendor calls for each."""

    rate: float
    own: float
    postgres: float
    valkey: float
    sandbox: float
    commits: float
    calls: float

    @property
    def processor(self) -> float:
        """All that was spent, but for the vendor."""
        return self.own + self.postgres + self.valkey


@dataclass(frozen=True, slots=True)
class Ground:
    """What all measurements share."""

    servers: Servers
    sandbox: Sandbox
    sandbox_pid: int
    directory: Path


@contextmanager
def opened() -> Iterator[tuple[Ground, ProcessGroup]]:
    """Yield a ground of a run's own, and its troop; nothing of either is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="mailrun-bench-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        servers = Servers(Database(directory / "postgres"), Valkey(directory / "valkey"))
        with in_use(servers.postgres), in_use(servers.valkey), ProcessGroup() as troop:
            sandbox = open_sandbox(troop, directory, "all")
            yield Ground(servers, sandbox, troop.processes[-1].pid, directory), troop


def slow_down(sandbox: Sandbox, latency: float) -> None:
    """Have the vendor wait so many seconds before each answer."""
    sandbox.behave()
    if latency:
        sandbox.misbehave(
            [{"endpoint": _SLOW_ENDPOINTS, "kind": "slow", "seconds": latency, "applied": False}]
        )


def measure(ground: Ground, contender: Candidate, mailings: Sequence[SampleMailing]) -> Measured:
    """Have a contender send these mailings; raises TimeoutError if it does not."""
    file = ground.directory / "letters.jsonl"
    workload.write(file, mailings)
    contender.load(mailings, file)
    before = _Reading.of(ground, contender)
    started = time.perf_counter()
    contender.begin()
    _wait(ground.sandbox, before.checkouts + len(mailings))
    seconds = time.perf_counter() - started
    contender.wait_until_idle()
    after = _Reading.of(ground, contender)
    contender.rest()
    return after.since(before, len(mailings), seconds)


def _wait(sandbox: Sandbox, checkouts: int) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while _checkouts(sandbox) < checkouts:
        if time.monotonic() > deadline:
            raise TimeoutError("not everything was checked out in time")
        time.sleep(_LOOK_SECONDS)


def _checkouts(sandbox: Sandbox) -> int:
    return sandbox.calls().get("checkout", 0)


@dataclass(frozen=True, slots=True)
class _Reading:
    own: float
    postgres: float
    valkey: float
    sandbox: float
    commits: int
    checkouts: int
    calls: int

    @classmethod
    def of(cls, ground: Ground, contender: Candidate) -> "_Reading":
        servers = ground.servers
        calls = ground.sandbox.calls()
        return cls(
            processor_seconds(process.pid for process in contender.processes),
            processor_seconds([servers.postgres.process_id()]),
            processor_seconds([servers.valkey.process_id()]),
            processor_seconds([ground.sandbox_pid]),
            _commits(servers, contender.database),
            calls.get("checkout", 0),
            sum(calls.values()),
        )

    def since(self, before: "_Reading", count: int, seconds: float) -> Measured:
        def each(name: str) -> float:
            return float(getattr(self, name) - getattr(before, name)) / count

        return Measured(
            rate=count / seconds,
            own=1000 * each("own"),
            postgres=1000 * each("postgres"),
            valkey=1000 * each("valkey"),
            sandbox=1000 * each("sandbox"),
            commits=each("commits"),
            calls=each("calls"),
        )


def _commits(servers: Servers, database: str | None) -> int:
    if database is None:
        return 0
    with servers.postgres.connect() as connection:
        row = connection.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = %s", [database]
        ).fetchone()
    return 0 if row is None else int(row[0])
