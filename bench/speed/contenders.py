"""Who is measured, and with the workers and pools each may do best with; the best line of each is what counts."""

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine

import migrations
from bench.chaos.contenders import DBOS_PYTHON
from bench.chaos.feeder import submit
from bench.environment import Sandbox, Servers
from bench.processes import Process, ProcessGroup
from bench.workload import SampleMailing
from models import Priority
from worker.context import CALL_POOL_SIZE

_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.1
# By two partial indexes: a look through a million finished ones would cost more than what is measured.
_UNFINISHED = "SELECT FROM mailing WHERE wake_at IS NOT NULL OR state IN ('approval', 'attention') LIMIT 1"
# The copies of bench.growth.history have negative numbers.
_NOT_SENT = "SELECT FROM mailing WHERE id > 0 AND state <> 'sent' LIMIT 1"


@dataclass
class Candidate(ABC):
    """One way of doing the work, standing still except while it is measured."""

    name: str
    servers: Servers
    sandbox: Sandbox
    directory: Path
    processes: list[Process] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Its name as a file, a database or a key of Redis would have it."""
        return "".join(letter if letter.isalnum() else "_" for letter in self.name.lower())

    @abstractmethod
    def env(self) -> Mapping[str, str]:
        """Return what its processes are told beside the vendor's address."""

    @abstractmethod
    def enlist(self, troop: ProcessGroup) -> None:
        """Start its processes and return when they could work."""

    @abstractmethod
    def load(self, letters: Sequence[SampleMailing], file: Path) -> None:
        """Give it its mailings while it stands still."""

    def begin(self) -> None:
        """Let it work."""
        for process in self.processes:
            process.let_go()

    def wait_until_idle(self) -> None:
        """Return when it has nothing left to do after the last checkout: at once, where that is the end."""
        return

    def rest(self) -> None:
        """Have it stand still."""
        for process in self.processes:
            process.hold()

    @property
    def database(self) -> str | None:
        """The name of its database, if it has one."""
        return None

    @property
    @abstractmethod
    def calls_at_once(self) -> int:
        """How many calls to the vendor it waits for at the same time."""

    def command(self, role: str, *command: str) -> Process:
        """Return a process of its own, not started yet."""
        told = {"BENCH_REPORTS": str(self.directory / f"{self.key}-reports"), "BENCH_SETTLE": "0"}
        log = self.directory / f"{self.key}-{role}.log"
        return Process(f"{self.name} {role}", command, {**self.sandbox.env, **told, **self.env()}, log)

    def run(self, role: str, *command: str) -> None:
        """Run a command of its own to its end; raises RuntimeError if that fails."""
        self.command(role, *command).run_to_its_end(_PATIENCE_SECONDS)


@dataclass
class Bare(Candidate):
    """Bare httpx, a process for each measurement."""

    kind: str = "threads"
    concurrency: int = 8
    troop: ProcessGroup = field(default_factory=ProcessGroup)
    measured: int = 0

    @property
    def calls_at_once(self) -> int:
        """As many as it has threads."""
        return self.concurrency

    def env(self) -> Mapping[str, str]:
        """Return nothing: it has nothing."""
        return {}

    def enlist(self, troop: ProcessGroup) -> None:
        """Start nothing yet."""
        self.troop = troop

    def load(self, letters: Sequence[SampleMailing], file: Path) -> None:  # noqa: ARG002 - it reads the file
        """Start it, and stop it before it begins."""
        command = (sys.executable, "-m", "bench.speed.bare", self.kind, str(self.concurrency), str(file))
        self.measured += 1
        process = self.command(f"loop-{self.measured}", *command)
        process.keep = False
        self.processes = [self.troop.add(process)]
        process.wait_for("ready.")
        self.rest()


@dataclass
class Chain(Candidate):
    """The plain Celery chain: five links, no state."""

    pool: str = "threads"
    workers: int = 1
    concurrency: int = 16

    @property
    def calls_at_once(self) -> int:
        """As many as it has threads."""
        return self.workers * self.concurrency

    def env(self) -> Mapping[str, str]:
        """Return the broker, and a corner of it of its own."""
        return {"REDIS_URL": self.servers.valkey.url, "BENCH_PREFIX": f"{self.key}:"}

    def enlist(self, troop: ProcessGroup) -> None:
        """Start its workers."""
        celery = (
            sys.executable,
            "-m",
            "celery",
            "-A",
            "bench.peers.chain",
            "worker",
            "--loglevel",
            "WARNING",
        )
        options = ("-P", self.pool, "-c", str(self.concurrency), "--without-gossip", "--without-mingle")
        for n in range(self.workers):
            process = self.command(f"worker-{n}", *celery, *options)
            self.processes.append(troop.add(process))
            process.wait_for("[queues]")

    def load(self, letters: Sequence[SampleMailing], file: Path) -> None:  # noqa: ARG002 - the feeder reads the file
        """Publish the chains."""
        self.run("feed", sys.executable, "-m", "bench.peers.feed_chain", str(file), "1e9")


@dataclass
class Workflow(Candidate):
    """The DBOS workflow: a step for each call, two executors."""

    concurrency: int = 16

    @property
    def calls_at_once(self) -> int:
        """As many as it has threads."""
        return 2 * self.concurrency

    def env(self) -> Mapping[str, str]:
        """Return its database, which DBOS fills."""
        url = self.servers.postgres.owner_url(self.key)
        return {"DATABASE_URL": url, "BENCH_CONCURRENCY": str(self.concurrency)}

    @property
    def database(self) -> str | None:
        """Its database."""
        return self.key

    def enlist(self, troop: ProcessGroup) -> None:
        """Start its executors, one after the other: the first makes the tables."""
        self.servers.new_database(self.key)
        for n in (1, 2):
            process = self.command(
                f"executor-{n}", str(DBOS_PYTHON), "-m", "bench.peers.workflow", f"executor-{n}"
            )
            self.processes.append(troop.add(process))
            process.wait_for("ready.")

    def load(self, letters: Sequence[SampleMailing], file: Path) -> None:  # noqa: ARG002 - the feeder reads the file
        """Enqueue the workflows."""
        self.run("feed", str(DBOS_PYTHON), "-m", "bench.peers.feed_workflow", str(file), "1e9")


@dataclass
class Mailrun(Candidate):
    """This project as it is sent out: workers, a beat, every guarantee; only the rate limit is out of the way."""

    workers: int = 2
    concurrency: int = 8

    @property
    def calls_at_once(self) -> int:
        """What its desks are made for."""
        return self.workers * CALL_POOL_SIZE

    def env(self) -> Mapping[str, str]:
        """Return its database and broker; every other setting is the default."""
        return {
            "DATABASE_URL": self.servers.postgres.owner_url(self.key),
            "REDIS_URL": self.servers.valkey.url,
            "MAILRUN_BROKER_PREFIX": f"{self.key}:",
            "LETTRLABS_RATE": "100000",
        }

    @property
    def database(self) -> str | None:
        """Its database."""
        return self.key

    def enlist(self, troop: ProcessGroup) -> None:
        """Start its workers and its beat."""
        migrations.upgrade(self.servers.new_database(self.key))
        celery = (sys.executable, "-m", "celery", "-A", "worker")
        for n in range(self.workers):
            options = ("worker", "-c", str(self.concurrency), "--loglevel", "WARNING")
            process = self.command(f"worker-{n}", *celery, *options)
            self.processes.append(troop.add(process))
        self.processes.append(troop.add(self.command("beat", *celery, "beat", "--loglevel", "INFO")))
        self.processes[-1].wait_for("beat: Starting")
        for process in self.processes[:-1]:
            process.wait_for("[queues]")

    def wait_until_idle(self) -> None:
        """Return when every payment has settled and is matched with its quote."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with self.servers.postgres.connect(self.key) as connection:
            while connection.execute(_UNFINISHED).fetchone() is not None:
                if time.monotonic() > deadline:
                    raise TimeoutError("not everything was settled in time")
                time.sleep(_LOOK_SECONDS)
            if connection.execute(_NOT_SENT).fetchone() is not None:
                raise RuntimeError("a mailing ended otherwise than sent")

    def load(self, letters: Sequence[SampleMailing], file: Path) -> None:  # noqa: ARG002 - nothing reads the file
        """Submit the mailings as anybody would."""
        engine = create_engine(self.servers.postgres.owner_url(self.key))
        for letter in letters:
            submit(engine, letter, Priority.CAMPAIGN)
        engine.dispose()
