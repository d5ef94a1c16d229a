"""What the worker's tests stand on: a desk at the sandbox under a driven clock, and mailings to work on."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Row, create_engine, insert, select, update

from models import Approval, Mailing, Priority, Recipient, Stage, State, StateChange
from tests.conftest import TEMPLATE as MIGRATED
from tests.conftest import create_database
from tests.integration.worker.board import StateMatrix
from worker import transitions
from worker.context import WorkerContext, open_context
from worker.engine.pipeline import RunBudget, process
from worker.settings import Settings
from worker.transitions import NewMailing

TEMPLATE = 1001


@dataclass
class DrivenClock:
    """A clock that goes on only when told to."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def settings(database_url: str, sandbox: Any) -> Settings:
    return Settings(
        database_url=database_url,
        base_url=sandbox.api_url,
        api_key=sandbox.key,
        rate=10_000,
        settlement_window_seconds=60,
    )


@pytest.fixture
def context(settings: Settings, clock: DrivenClock) -> Iterator[WorkerContext]:
    context = open_context(settings, clock=clock)
    yield context
    context.close()


NewMail = Callable[..., int]


def person(position: int, **fields: Any) -> dict[str, Any]:
    return {
        "position": position,
        "digest": os.urandom(16),
        "first_name": f"First{position}",
        "last_name": f"Last{position}",
        "address1": f"{100 + position} Main Street",
        "city": "Springfield",
        "state": "IL",
        "zip_code": "62701",
        "merge": {},
        **fields,
    }


@pytest.fixture
def new_mailing(engine: Engine, clock: DrivenClock) -> NewMail:
    """Return a function that opens a mailing to some people, and returns its id."""

    def open_one(people: int | list[dict[str, Any]] = 1, **values: Any) -> int:
        rows = [person(n) for n in range(people)] if isinstance(people, int) else people
        new = NewMailing(
            **{
                "key": os.urandom(8).hex(),
                "request_digest": b"digest",
                "priority": Priority.CAMPAIGN,
                "template_id": TEMPLATE,
                "postage": "Standard",
                "speed": "Normal",
                "size": len(rows),
                "approval": Approval.AUTO,
                **values,
            }
        )
        with engine.begin() as connection:
            (mailing_id,) = transitions.insert_mailings(connection, [new], clock())
            connection.execute(insert(Recipient), [{"mailing_id": mailing_id, **row} for row in rows])
        return mailing_id

    return open_one


class RowEditor:
    """Reads rows, and forges them where a test begins in the middle."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def mailing(self, mailing_id: int) -> Row[Any]:
        with self.engine.connect() as connection:
            return connection.execute(
                select(*Mailing.__table__.columns).where(Mailing.id == mailing_id)
            ).one()

    def forge(self, mailing_id: int, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(Mailing).where(Mailing.id == mailing_id).values(**values))

    def recipients(self, mailing_id: int) -> list[Row[Any]]:
        with self.engine.connect() as connection:
            return list(
                connection.execute(
                    select(*Recipient.__table__.columns)
                    .where(Recipient.mailing_id == mailing_id)
                    .order_by(Recipient.position)
                )
            )

    def moves(self, mailing_id: int) -> list[str]:
        with self.engine.connect() as connection:
            return list(
                connection.scalars(
                    select(StateChange.move)
                    .where(StateChange.mailing_id == mailing_id)
                    .order_by(StateChange.id)
                )
            )


@pytest.fixture(scope="session")
def shared_engine(postgres: Any) -> Iterator[Engine]:
    """Yield an engine on a database for tests that leave nothing behind, or empty it first."""
    name = f"shared_{os.urandom(8).hex()}"
    create_database(postgres, name, copy_of=MIGRATED)
    engine = create_engine(postgres.url(name))
    yield engine
    engine.dispose()


@pytest.fixture
def undone(shared_engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction of which nothing stays."""
    with shared_engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def board(undone: Connection) -> StateMatrix:
    return StateMatrix(undone)


@pytest.fixture
def pen(engine: Engine) -> RowEditor:
    return RowEditor(engine)


@pytest.fixture
def finish(context: WorkerContext, clock: DrivenClock, pen: RowEditor) -> Callable[[int], Row[Any]]:
    """Return a function that works on a mailing, as the due scan would, until it rests; and returns its row."""

    def until_it_rests(mailing_id: int, *, rounds: int = 60) -> Row[Any]:
        for _ in range(rounds):
            row = pen.mailing(mailing_id)
            if row.state not in {State.QUEUED, State.WORKING}:
                return row
            clock.at = max(clock.at, row.wake_at, row.not_before, row.lease_until or clock.at)
            process(context, [mailing_id], Stage(row.stage), RunBudget())
        raise AssertionError(f"mailing does not come to rest: {pen.moves(mailing_id)} {row}")

    return until_it_rests


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Return a function that waits until something is true of processes that run by themselves."""

    def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.05)

    return wait_until
