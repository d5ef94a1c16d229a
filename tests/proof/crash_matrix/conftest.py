"""Worker processes that die where they are told to, and the case they are put to work on."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu import Queue
from psycopg import sql
from sqlalchemy import Engine, create_engine, insert, select, update

from models import ENDED, Approval, CreateGate, Mailing, Priority, Recipient, Stage, State, StateChange
from worker import transitions
from worker.celery import EXCHANGE, TICKS
from worker.transitions import NewMailing

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 40
PEOPLE = 3
PAGE = 2


class Zygote:
    """The process that forks workers on order."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def fork(self, order: dict[str, Any]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()


@dataclass
class Case:
    """One mailing, its database, and the worker processes that are set on it, one after the other."""

    engine: Engine
    env: dict[str, str]
    zygote: Zygote
    directory: Path
    broker: Celery
    mailing_id: int
    workers: list[int] = field(default_factory=list)

    def run_worker(self, die_at: int | None) -> list[str]:
        """Set a worker on the mailing until it dies or the mailing rests; returns the boundaries it passed."""
        boundaries = self.directory / f"boundaries-{len(self.workers)}"
        boundaries.touch()
        order = {
            "env": self.env,
            "log": str(self.directory / f"worker-{len(self.workers)}.log"),
            "boundaries": str(boundaries),
            "die_at": die_at,
            "page": PAGE,
        }
        pid = self.zygote.fork(order)
        self.workers.append(pid)
        try:
            self._tick_until_rest(pid)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        return boundaries.read_text().splitlines()

    def _tick_until_rest(self, pid: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.row().state not in {*ENDED, State.APPROVAL, State.ATTENTION}:
            if not _alive(pid):
                return
            assert time.monotonic() < deadline, f"no rest: {self.story()}"
            self._hurry_the_vendor()
            self.broker.send_task("mailrun.dispatch", expires=2)
            time.sleep(0.04)

    def _hurry_the_vendor(self) -> None:
        """Make it as late as the vendor said to look at the payment."""
        long_ago = datetime(2000, 1, 1, tzinfo=UTC)
        with self.engine.begin() as connection:
            connection.execute(
                update(Mailing)
                .where(
                    Mailing.stage == Stage.SETTLE, Mailing.state == State.QUEUED, Mailing.wake_at > long_ago
                )
                .values(not_before=long_ago, wake_at=long_ago)
            )

    def let_lease_expire(self) -> None:
        """Make it as late as if the dead worker's lease, and the create gate's, had run out."""
        long_ago = datetime(2000, 1, 1, tzinfo=UTC)
        with self.engine.begin() as connection:
            connection.execute(
                update(Mailing)
                .where(Mailing.state == State.WORKING)
                .values(lease_until=long_ago, wake_at=long_ago)
            )
            connection.execute(update(Mailing).where(Mailing.state == State.QUEUED).values(wake_at=long_ago))
            connection.execute(update(CreateGate).values(closed_until=long_ago))

    def row(self) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(
                select(*Mailing.__table__.columns).where(Mailing.id == self.mailing_id)
            ).one()

    def story(self) -> str:
        with self.engine.connect() as connection:
            events = connection.execute(
                select(StateChange.move, StateChange.stage, StateChange.detail).order_by(StateChange.id)
            )
            moves_made = [
                f"{event.move} {event.stage} {event.detail.get('why', '')}".strip() for event in events
            ]
        logs = [path.read_text()[-1500:] for path in sorted(self.directory.glob("worker-*.log"))]
        return f"{self.row()}\n{moves_made}\n" + "\n---\n".join(logs)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Lane:
    """What one case at a time runs on: a sandbox and a zygote of its own."""

    postgres: Any
    redis_url: str
    sandbox: Any
    zygote: Zygote
    directory: Path

    @contextmanager
    def case(self, **values: Any) -> Iterator[Case]:
        """Yield a new database with one mailing to three people in it."""
        name = f"crash_{uuid.uuid4().hex}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE migrated STRATEGY FILE_COPY")
        with self.postgres.connect() as connection:
            connection.execute(statement.format(sql.Identifier(name)))
        engine = create_engine(self.postgres.url(name))
        directory = self.directory / name
        directory.mkdir()
        broker = self._broker(name)
        try:
            mailing_id = _open(engine, **values)
            yield Case(engine, self._env(name), self.zygote, directory, broker, mailing_id)
        finally:
            broker.close()
            engine.dispose()
            with self.postgres.connect() as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _broker(self, name: str) -> Celery:
        broker = Celery("beat", broker=self.redis_url, set_as_current=False)
        broker.conf.broker_transport_options = {"global_keyprefix": f"{name}:"}
        broker.conf.task_queues = [Queue(TICKS, EXCHANGE, routing_key=TICKS)]
        broker.conf.task_default_queue = broker.conf.task_default_routing_key = TICKS
        return broker

    def _env(self, name: str) -> dict[str, str]:
        return self.sandbox.env | {
            "DATABASE_URL": self.postgres.url(name),
            "REDIS_URL": self.redis_url,
            "MAILRUN_BROKER_PREFIX": f"{name}:",
            "LETTRLABS_RATE": "100000",
            "MAILRUN_POLL_SECONDS": "0.05",
            "MAILRUN_RETRY_SECONDS": "0.05",
            # Redis may hand a message to the worker that just died: it is lost, and pushed again after this.
            "MAILRUN_PUSH_AGAIN_SECONDS": "0.5",
            "MAILRUN_SETTLEMENT_WINDOW_SECONDS": "0.3",
            "MAILRUN_VISIBILITY_WINDOW_SECONDS": "0.3",
        }


@pytest.fixture
def lanes(
    postgres: Any, redis_url: str, start_sandbox: Callable[[str], Any], tmp_path: Path
) -> Iterator[list[Lane]]:
    """Yield two lanes, for the two cores that a machine has at least."""
    opened = []
    for number in range(2):
        sandbox = start_sandbox(f"lane-{number}")
        sandbox.set(settleSeconds=0)
        opened.append(Lane(postgres, redis_url, sandbox, Zygote(), tmp_path))
    yield opened
    for lane in opened:
        lane.zygote.end()


def _open(engine: Engine, **values: Any) -> int:
    now = datetime.now(UTC)
    new = NewMailing(
        **{
            "key": uuid.uuid4().hex,
            "request_digest": b"digest",
            "priority": Priority.CAMPAIGN,
            "template_id": 1001,
            "postage": "Standard",
            "speed": "Normal",
            "size": PEOPLE,
            "approval": Approval.AUTO,
            **values,
        }
    )
    with engine.begin() as connection:
        (mailing_id,) = transitions.insert_mailings(connection, [new], now)
        connection.execute(insert(Recipient), [_person(mailing_id, n) for n in range(PEOPLE)])
    return mailing_id


def _person(mailing_id: int, position: int) -> dict[str, Any]:
    return {
        "mailing_id": mailing_id,
        "position": position,
        "digest": os.urandom(16),
        "first_name": uuid.uuid4().hex,
        "last_name": f"Person{position}",
        "address1": f"{10 + position} Main Street",
        "city": "Springfield",
        "state": "IL",
        "zip_code": "62701",
    }
