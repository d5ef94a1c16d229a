"""Who does the work: each with a vendor, a feeder and two workers of its own; Mailrun with two beats."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import psycopg
from redis.exceptions import RedisError

import migrations
from bench import ROOT
from bench.environment import Sandbox, Servers
from bench.processes import Process, ProcessGroup

DBOS_PYTHON = ROOT / "bench" / ".venv" / "bin" / "python"
THREADS = 16
LEASE_SECONDS = 12.0
SETTLEMENT_WINDOW_SECONDS = 10.0
VISIBILITY_WINDOW_SECONDS = 2.0


class Candidate(ABC):
    """One way of doing the work."""

    name: ClassVar[str]
    python: ClassVar[Path] = Path(sys.executable)
    feeder_module: ClassVar[str]

    def __init__(self, servers: Servers, sandbox: Sandbox, directory: Path) -> None:
        """Prepare what it needs; starts nothing."""
        self.servers = servers
        self.sandbox = sandbox
        self.directory = directory
        self.reports = directory / f"{self.key}-reports.jsonl"
        self.workers: list[Process] = []
        self.helpers: list[Process] = []
        self.feeder: Process | None = None

    @property
    def key(self) -> str:
        """Its name as a file would have it."""
        return type(self).__name__.lower()

    @abstractmethod
    def env(self) -> Mapping[str, str]:
        """Return what all its processes are told beside the vendor's address."""

    @abstractmethod
    def enlist(self, troop: ProcessGroup) -> None:
        """Start its workers and return when they work."""

    @abstractmethod
    def unfinished(self) -> int:
        """Return how much it still means to do; raises psycopg.Error, RedisError while it cannot be told."""

    def feed(self, troop: ProcessGroup, letters: Path, rate: float) -> None:
        """Begin to feed it."""
        command = (str(self.python), "-m", self.feeder_module, str(letters), str(rate))
        self.feeder = troop.add(self.process("feeder", *command, keep=False))

    @property
    def idle(self) -> bool:
        """Whether it was given everything and has nothing left to do."""
        try:
            return self.feeder is not None and self.feeder.ended and self.unfinished() == 0
        except (psycopg.Error, RedisError):
            return False

    def process(self, role: str, *command: str, keep: bool = True) -> Process:
        """Return a process of its own, not started yet."""
        env = {**self.sandbox.env, "BENCH_REPORTS": str(self.reports), **self.env()}
        return Process(
            f"{self.name} {role}", command, env, self.directory / f"{self.key}-{role}.log", keep=keep
        )


class Mailrun(Candidate):
    """This project, with two workers and two beats."""

    name = "Mailrun"
    feeder_module = "bench.chaos.feeder"

    def __init__(self, servers: Servers, sandbox: Sandbox, directory: Path) -> None:
        """As every contender, with a migrated database."""
        super().__init__(servers, sandbox, directory)
        self.database_url = servers.new_database("mailrun_chaos")
        migrations.upgrade(self.database_url)

    def env(self) -> Mapping[str, str]:
        """Return settings by which minutes see what hours would; the lease outlasts the impatient client's calls."""
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.servers.valkey.url,
            "LETTRLABS_RATE": "1000",
            "MAILRUN_LEASE_SECONDS": str(LEASE_SECONDS),
            "MAILRUN_SETTLEMENT_WINDOW_SECONDS": str(SETTLEMENT_WINDOW_SECONDS),
            "MAILRUN_VISIBILITY_WINDOW_SECONDS": str(VISIBILITY_WINDOW_SECONDS),
            "MAILRUN_POLL_SECONDS": "0.5",
            "MAILRUN_RETRY_SECONDS": "0.5",
            "MAILRUN_PUSH_AGAIN_SECONDS": "30",
        }

    def enlist(self, troop: ProcessGroup) -> None:
        """Start two workers and two beats."""
        celery = (str(self.python), "-m", "bench.chaos.worker", "-A", "worker")
        for n in (1, 2):
            options = ("-c", str(THREADS), "--loglevel", "INFO")
            worker = self.process(f"worker-{n}", *celery, "worker", *options)
            self.workers.append(troop.add(worker))
            self.helpers.append(troop.add(self.process(f"beat-{n}", *celery, "beat")))
        for worker in self.workers:
            worker.wait_for("ready.")

    def sweep_twice(self) -> str:
        """Look for strays twice; returns what that found. Raises RuntimeError if it could not."""
        looks = self.process("sweep", str(self.python), "-m", "bench.chaos.orphan_sweep", keep=False).start()
        return looks.wait_for('[{"found"')

    def unfinished(self) -> int:
        """Count the mailings that neither ended nor wait for a person."""
        asked = "SELECT count(*) FROM mailing WHERE state IN ('queued', 'working', 'approval')"
        return _count(self.servers, "mailrun_chaos", asked)


class Chain(Candidate):
    """The plain Celery chain."""

    name = "Celery chain"
    feeder_module = "bench.peers.feed_chain"

    def env(self) -> Mapping[str, str]:
        """Return the broker: it has nothing else."""
        return {"REDIS_URL": self.servers.valkey.url}

    def enlist(self, troop: ProcessGroup) -> None:
        """Start two workers."""
        celery = (str(self.python), "-m", "celery", "-A", "bench.peers.chain", "worker")
        for n in (1, 2):
            options = ("-P", "threads", "-c", str(THREADS), "--loglevel", "INFO")
            self.workers.append(troop.add(self.process(f"worker-{n}", *celery, *options)))
        for worker in self.workers:
            worker.wait_for("ready.")

    def unfinished(self) -> int:
        """Count the messages that wait or are being worked on."""
        with self.servers.redis() as redis:
            return int(redis.llen("chain:celery")) + int(redis.hlen("chain:unacked"))


class Workflow(Candidate):
    """The DBOS workflow: no broker, everything in PostgreSQL."""

    name = "DBOS workflow"
    python = DBOS_PYTHON
    feeder_module = "bench.peers.feed_workflow"

    def __init__(self, servers: Servers, sandbox: Sandbox, directory: Path) -> None:
        """As every contender, with a database that DBOS fills."""
        super().__init__(servers, sandbox, directory)
        self.database_url = servers.new_database("workflow_chaos")

    def env(self) -> Mapping[str, str]:
        """Return the database: it needs nothing else."""
        return {"DATABASE_URL": self.database_url}

    def enlist(self, troop: ProcessGroup) -> None:
        """Start two executors, one after the other: the first makes the tables."""
        for n in (1, 2):
            command = (str(self.python), "-m", "bench.peers.workflow", f"executor-{n}")
            self.workers.append(troop.add(self.process(f"worker-{n}", *command)))
            self.workers[-1].wait_for("ready.")

    def unfinished(self) -> int:
        """Count the workflows that have not ended."""
        asked = "SELECT count(*) FROM dbos.workflow_status WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED')"
        return _count(self.servers, "workflow_chaos", asked)


def _count(servers: Servers, database: str, statement: str) -> int:
    with servers.postgres.connect(database) as connection:
        row = connection.execute(statement).fetchone()
    return 0 if row is None else int(row[0])
