"""One worker's desk over a real database and the real sandbox, both emptied between runs, under one driven clock."""

import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from psycopg import sql
from sqlalchemy import Connection, Row, create_engine, text

import worker.engine.dispatcher
import worker.stages.recipient_pages
from console.local.postgres import Postgres
from lettrlabs import LettrLabs, RateLimit
from models import Stage, State
from tests.proof.state_machine.boundaries import Crash, Network, watch_commits
from tests.proof.state_machine.delivery import Delivery
from tests.proof.state_machine.plans import Scenario, open_campaign, open_one
from tests.proof.state_machine.vendor import START, Operator, served
from worker import transitions
from worker.context import WorkerContext, open_engine
from worker.engine.pipeline import RunBudget
from worker.settings import SANDBOX_KEY, Settings

_FOREVER: Final = 1e9
_ROUNDS: Final = 200

_EMPTY = """
    DELETE FROM mailing; DELETE FROM campaign; DELETE FROM proof; DELETE FROM stray; DELETE FROM heartbeat;
    UPDATE create_gate SET holder = NULL, closed_until = '-infinity';
    UPDATE installation SET paused_at = NULL;
"""


class _Unhurried(RateLimit):
    """No rate, and no real time spent on being quiet: under a driven clock that would only be slow."""

    def hush(self, seconds: float) -> None:
        pass


@dataclass
class Harness:
    """Everything a run works with; `begin` makes it new."""

    database_url: str
    sandbox_url: str
    at: datetime = START
    broke: list[str] = field(default_factory=list)
    mailings: list[int] = field(default_factory=list)
    plans: list[Scenario] = field(default_factory=list)
    campaign: int | None = None

    def __post_init__(self) -> None:
        self.operator = Operator(self.sandbox_url)
        settings = Settings(
            database_url=self.database_url, base_url=f"{self.sandbox_url}/api", api_key=SANDBOX_KEY
        )
        engine = open_engine(self.database_url)
        watch_commits(engine)
        vendor = LettrLabs(settings.base_url, settings.api_key, rate=_Unhurried(None))
        self.network = Network(vendor, self.now)
        self._desk = WorkerContext(engine, vendor, settings, self.now)
        self.context = self._desk
        self._pen = create_engine(self.database_url, isolation_level="AUTOCOMMIT").connect()
        self._listener = _Listener(self.broke)
        logging.getLogger("worker.engine.pipeline").addHandler(self._listener)

    def close(self) -> None:
        logging.getLogger("worker.engine.pipeline").removeHandler(self._listener)
        self._pen.close()
        self._pen.engine.dispose()
        self._desk.close()

    def now(self) -> datetime:
        return self.at

    def begin(
        self,
        plans: Sequence[Scenario],
        *,
        exclusive: bool = True,
        page: int = 1000,
        settles: int = 2,
        abreast: bool = False,
    ) -> None:
        """Empty the database and the sandbox, and open mailings; with `abreast`, few are enough for one message."""
        self.at, self.mailings, self.plans = START, [], list(plans)
        self.broke.clear()
        self.network.lingering.clear()
        self._pen.exec_driver_sql(_EMPTY)
        self.operator.empty()
        self.operator.set(settleSeconds=settles)
        worker.stages.recipient_pages.MAX_RECIPIENTS = page
        worker.engine.dispatcher.MIN_MESSAGES = 1 if abreast else 1000
        self.context = replace(
            self._desk, settings=self._desk.settings.model_copy(update={"exclusive": exclusive})
        )
        with self.transaction() as connection:
            self.campaign = open_campaign(connection, len(plans))
            self.mailings = [
                open_one(connection, number, plan, self.campaign, self.at)
                for number, plan in enumerate(plans)
            ]

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a transaction of somebody who is no worker."""
        with self._desk.engine.begin() as connection:
            yield connection

    def forward(self, seconds: float) -> None:
        """Let time pass for everybody."""
        self.at += timedelta(seconds=seconds)
        self.operator.advance(seconds)

    def deliver(
        self, mailing_id: int, stage: Stage, *, ahead: bool = True, strike: Crash | None = None
    ) -> Delivery:
        """Hand the message of one mailing to a worker; `ahead` says whether it may do the stages after it, too."""
        return self.deliver_several((mailing_id,), stage, ahead=ahead, strike=strike)

    def deliver_several(
        self, mailing_ids: Sequence[int], stage: Stage, *, ahead: bool = True, strike: Crash | None = None
    ) -> Delivery:
        """Hand a message of several mailings to a worker."""
        pace = RunBudget(seconds=_FOREVER, stopping=not ahead)
        # Each in a process of its own, or who comes next would share the commit that one of them is frozen in.
        delivery = Delivery(replace(self.context), mailing_ids, stage, pace, strike).begin()
        self._cut_off_if_in_a_transaction(delivery)
        return delivery

    def let_go(self, delivery: Delivery, strike: Crash | None = None) -> Delivery:
        """Thaw a worker, if it is frozen."""
        if not delivery.frozen:
            return delivery
        delivery.let_go(strike)
        self._cut_off_if_in_a_transaction(delivery)
        return delivery

    def approve(self, mailing_id: int) -> bool:
        """Have a person agree to the price; False if nobody asks for it."""
        with self.transaction() as connection:
            return transitions.approve(connection, mailing_id, "a person", self.now())

    def end_of(self, mailing_id: int) -> State:
        """Work on a mailing, as the due scan would, until it rests; returns the state it rests in."""
        for _ in range(_ROUNDS):
            row = self.row(mailing_id)
            if row.state not in {State.QUEUED, State.WORKING}:
                return State(row.state)
            self.forward(max((row.wake_at - self.now()).total_seconds(), 1.0))
            self.deliver(mailing_id, Stage(row.stage))
        raise AssertionError(f"does not come to rest: {self.moves_of(mailing_id)}")

    def row(self, mailing_id: int) -> Row[Any]:
        return next(row for row in self.rows() if row.id == mailing_id)

    def rows(self) -> list[Row[Any]]:
        return list(self._pen.execute(_ROWS))

    def recipients(self) -> list[Row[Any]]:
        return list(self._pen.execute(_RECIPIENTS))

    def strays(self) -> dict[int, str]:
        return {row.order_id: row.fate for row in self._pen.execute(_STRAYS)}

    def paused(self) -> bool:
        """Return whether everything is paused."""
        return bool(self._pen.execute(_PAUSED).scalar())

    def moves_of(self, mailing_id: int) -> list[str]:
        found = self._pen.execute(_MOVES, {"id": mailing_id})
        return [
            f"{row.at:%H:%M:%S} {row.move} -> {row.stage} {row.state} {row.detail.get('why', '')}"
            for row in found
        ]

    def _cut_off_if_in_a_transaction(self, delivery: Delivery) -> None:
        """End the transaction of a worker frozen in it, as PostgreSQL does when it has been idle for too long."""
        if delivery.frozen and delivery.course.backend is not None:
            delivery.course.lost_database = True
            self._pen.execute(_TERMINATE, {"pid": delivery.course.backend})


@contextmanager
def opened(postgres: Postgres, directory: Path) -> Iterator[Harness]:
    """Yield a rig with a database and a sandbox of its own; `begin` makes it new."""
    with (
        _database(postgres) as database_url,
        served(directory) as sandbox_url,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("worker.stages.recipient_pages.MAX_RECIPIENTS", 1000)
        patch.setattr("worker.engine.dispatcher.MIN_MESSAGES", 1000)
        # What a busy machine makes slow must not change the course of the calls.
        patch.setattr("worker.engine.run_budget.SLOW_SECONDS", float("inf"))
        patch.setattr("worker.stages.quote_request.SLOW_SECONDS", float("inf"))
        # A read is tried again after a pause: in real time that would only be slow.
        patch.setattr("lettrlabs.calls.sleep", lambda _: None)
        # Thousands of runs have thousands of strays to tell of.
        patch.setattr(logging.getLogger("worker.periodic.orphan_sweep"), "disabled", True)
        rig = Harness(database_url, sandbox_url)
        yield rig
        rig.close()


@contextmanager
def _database(postgres: Postgres) -> Iterator[str]:
    name = sql.Identifier(f"proof_{uuid.uuid4().hex}")
    with postgres.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE migrated STRATEGY FILE_COPY").format(name))
    yield postgres.url(name.as_string().strip('"'))
    with postgres.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


_ROWS = text("SELECT * FROM mailing ORDER BY id")
_RECIPIENTS = text("SELECT mailing_id, position, first_name, outcome, vendor_id FROM recipient ORDER BY 1, 2")
_STRAYS = text("SELECT order_id, fate FROM stray")
_PAUSED = text("SELECT paused_at IS NOT NULL FROM installation")
_MOVES = text("SELECT at, move, stage, state, detail FROM event_log WHERE mailing_id = :id ORDER BY id")
_TERMINATE = text("SELECT pg_terminate_backend(:pid, 5000)")


class _Listener(logging.Handler):
    """Hears of errors of Mailrun's own, which it survives but which are bugs all the same."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())
