"""Real workers through a real broker: what becomes of the work when either of them goes away."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, select, update

from console.local.services import in_use
from console.local.valkey import Valkey
from models import Mailing, Stage, State
from tests.integration.worker.conftest import person
from worker.clock import system_clock
from worker.context import WorkerContext
from worker.engine import dispatcher
from worker.settings import Settings

ROOT = Path(__file__).parents[3]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Process:
    """A worker or a beat."""

    pid: int
    log: Path

    def is_alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def signal(self, kind: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, kind)


@dataclass
class Stable:
    """Starts workers and beats in a fraction of a second; all of them end with it."""

    directory: Path
    process: subprocess.Popen[str]
    started: list[Process] = field(default_factory=list)

    def start(self, kind: str, env: dict[str, str], *options: str, poison: int | None = None) -> Process:
        log = self.directory / f"{len(self.started)}-{kind}.log"
        order = {"kind": kind, "env": env, "log": str(log), "options": options, "poison": poison}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        self.started.append(Process(int(self.process.stdout.readline()), log))
        return self.started[-1]

    def end(self) -> None:
        for one in self.started:
            one.signal(signal.SIGKILL)
            if one.log.exists():
                sys.stdout.write(f"--- {one.log.name}\n{one.log.read_text()[-3000:]}\n")
        self.started.clear()


@pytest.fixture(scope="module")
def _stable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stable]:
    command = [sys.executable, str(Path(__file__).with_name("stable.py"))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Stable(tmp_path_factory.mktemp("stable"), process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def stable(_stable: Stable) -> Iterator[Stable]:
    yield _stable
    _stable.end()


@pytest.fixture
def env(sandbox: Any, database_url: str, redis_url: str, broker_prefix: str) -> dict[str, str]:
    sandbox.set(settleSeconds=0)
    return sandbox.env | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "MAILRUN_BROKER_PREFIX": broker_prefix,
        "LETTRLABS_RATE": "100000",
        "MAILRUN_TICK_SECONDS": "0.3",
        "MAILRUN_POLL_SECONDS": "0.1",
        "MAILRUN_RETRY_SECONDS": "0.1",
        "MAILRUN_VISIBILITY_WINDOW_SECONDS": "0.5",
        "MAILRUN_PUSH_AGAIN_SECONDS": "1",
        "MAILRUN_MAX_ATTEMPTS": "2",
    }


Eventually = Callable[..., None]


def are(pen: Any, mailings: list[int], state: State) -> bool:
    return all(pen.mailing(one).state is state for one in mailings)


def let_leases_of_the_dead_end(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            update(Mailing)
            .where(Mailing.state == State.WORKING)
            .values(lease_until=LONG_AGO, wake_at=LONG_AGO)
        )


def test_a_mailing_that_kills_its_worker_every_time_ends_with_a_person_while_the_others_go_on(
    stable: Stable, env: Any, new_mailing: Any, pen: Any, sandbox: Any, engine: Engine, eventually: Eventually
) -> None:
    poisoned = new_mailing()
    others = [new_mailing() for _ in range(3)]
    stable.start("beat", env)
    worker = stable.start("worker", env, "--concurrency", "1", poison=poisoned)
    deaths = 0

    def are_seen_to() -> bool:
        nonlocal worker, deaths
        if not worker.is_alive():
            deaths += 1
            let_leases_of_the_dead_end(engine)
            worker = stable.start("worker", env, "--concurrency", "1", poison=poisoned)
        return pen.mailing(poisoned).state is State.ATTENTION and are(pen, others, State.SENT)

    eventually(are_seen_to)

    row = pen.mailing(poisoned)
    assert (row.stage, row.reason_code, deaths) == (Stage.PROOF, "attempts", 2)
    assert sandbox.ledger()["totals"]["paid"] == 3


def test_a_worker_whose_broker_goes_away_for_a_while_stays_and_goes_on(
    stable: Stable, env: Any, run_dir: Path, new_mailing: Any, pen: Any, sandbox: Any, eventually: Eventually
) -> None:
    broker = Valkey(run_dir / "unsteady")
    with in_use(broker):
        env |= {"REDIS_URL": broker.url}
        sandbox.fail("proof", "slow", seconds=3, count=1)
        in_flight = new_mailing()
        worker, beat = stable.start("worker", env), stable.start("beat", env)
        eventually(lambda: pen.mailing(in_flight).stage is Stage.PROOF)

        broker.stop()
        afterwards = new_mailing()
        time.sleep(2)
        assert pen.mailing(in_flight).state is State.WORKING
        broker.ensure_running()

        eventually(lambda: are(pen, [in_flight, afterwards], State.SENT))
        assert worker.is_alive()
        assert beat.is_alive()
        stable.end()
    assert {"unsure", "steal"}.isdisjoint(pen.moves(in_flight))
    assert sandbox.ledger()["totals"]["paid"] == 2


def test_a_worker_told_to_stop_finishes_its_stage_and_hands_the_rest_over(
    stable: Stable, env: Any, new_mailing: Any, pen: Any, sandbox: Any, eventually: Eventually
) -> None:
    sandbox.fail("create_order", "slow", seconds=1, applied=True, count=1)
    mailing_id = new_mailing()
    worker = stable.start("worker", env)
    stable.start("beat", env)
    eventually(lambda: bool(sandbox.ledger()["orders"]))

    worker.signal(signal.SIGTERM)
    eventually(lambda: not worker.is_alive())

    row = pen.mailing(mailing_id)
    assert (row.stage, row.state) == (Stage.ATTACH, State.QUEUED)
    assert pen.moves(mailing_id) == ["advance"]
    stable.start("worker", env)
    eventually(lambda: are(pen, [mailing_id], State.SENT))
    assert {"unsure", "steal"}.isdisjoint(pen.moves(mailing_id))
    assert sandbox.ledger()["totals"]["created"] == 1


def test_an_emptied_broker_costs_the_time_until_messages_are_pushed_again_and_nothing_else(
    stable: Stable,
    env: Any,
    new_mailing: Any,
    pen: Any,
    sandbox: Any,
    engine: Engine,
    redis_url: str,
    broker_prefix: str,
    eventually: Eventually,
) -> None:
    mailings = [new_mailing() for _ in range(5)]
    beat = stable.start("beat", env)
    worker = stable.start("worker", env)
    # Stopped, it cannot take a message; what the scan pushed before stays in the broker.
    eventually(lambda: are(pen, mailings, State.SENT))
    late = [new_mailing() for _ in range(5)]
    worker.signal(signal.SIGSTOP)
    pushed = push_what_is_due(engine, env)
    assert pushed <= len(late)
    beat.signal(signal.SIGSTOP)
    with Redis(unix_socket_path=redis_url.removeprefix("redis+socket://")) as redis:
        redis.delete(*redis.scan_iter(match=f"{broker_prefix}*"))
    worker.signal(signal.SIGCONT)
    beat.signal(signal.SIGCONT)

    eventually(lambda: are(pen, late, State.SENT))

    assert sandbox.ledger()["totals"]["created"] == sandbox.ledger()["totals"]["paid"] == 10
    with engine.connect() as connection:
        assert set(connection.scalars(select(Mailing.state))) == {State.SENT}


def test_a_worker_that_logs_everything_names_neither_the_key_nor_anybody(
    stable: Stable, env: Any, new_mailing: Any, pen: Any, sandbox: Any, eventually: Eventually
) -> None:
    theirs = {"first_name": "Wilhelmina", "last_name": "Quackenbush", "email": "wq@example.org"}
    where = {"address1": "77 Zanzibar Crescent", "merge": {"custom1": "Dear Willy"}}
    people = [person(0, **theirs, **where), person(1, **theirs, address1="0 Nowhere Undeliverable")]
    for endpoint, fault in (("create_order", "cut_after"), ("append_recipients", "error_after")):
        sandbox.fail(endpoint, fault, count=1)
    sandbox.fail("checkout", "too_many", count=1, retryAfter=0)
    mailings = [new_mailing(people), new_mailing([person(0, **theirs, **where, zip_code="00000")])]
    worker = stable.start("worker", env, "--loglevel", "DEBUG")
    stable.start("beat", env)

    eventually(lambda: are(pen, mailings[:1], State.SENT) and are(pen, mailings[1:], State.FAILED))

    said = worker.log.read_text()
    assert "lettrlabs.call" in said
    secrets = [sandbox.key, *theirs.values(), "Zanzibar", "Nowhere", "Dear Willy"]
    assert [secret for secret in secrets if secret.lower() in said.lower()] == []


def push_what_is_due(engine: Engine, env: dict[str, str]) -> int:
    """Do a beat's scan here, and lose its messages."""
    settings = Settings(push_again_seconds=float(env["MAILRUN_PUSH_AGAIN_SECONDS"]))
    context = WorkerContext(engine, None, settings)  # type: ignore[arg-type] # the scan speaks to no vendor
    return dispatcher.run_once(context, system_clock(), lambda _: 0, lambda *_: None)
