"""What the tests of time stand on: a desk and a sandbox under one clock that only tests move."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Row, insert, select

from models import Approval, Mailing, Priority, Recipient, Stage, State
from tests.integration.worker.stages.conftest import Vendor
from tests.proof.state_machine.vendor import START
from worker import transitions
from worker.context import WorkerContext, open_context
from worker.engine import dispatcher
from worker.engine.pipeline import RunBudget, process
from worker.scheduling.schedule import SEND_NOW, Schedule
from worker.settings import Settings
from worker.transitions import NewMailing


@pytest.fixture
def sandbox(standing_sandbox: str) -> Vendor:
    """Return a sandbox in which nothing has happened yet, and whose time is the same at every test's start."""
    vendor = Vendor(standing_sandbox)
    vendor.empty()
    vendor.set(settleSeconds=0)
    return vendor


@dataclass
class Clock:
    """The time, here and at the vendor."""

    sandbox: Vendor
    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def go_to(self, instant: datetime) -> None:
        self.sandbox.advance((instant - self.at).total_seconds())
        self.at = instant


@pytest.fixture
def clock(sandbox: Vendor) -> Clock:
    return Clock(sandbox, START)


@pytest.fixture
def context(database_url: str, sandbox: Vendor, clock: Clock) -> Iterator[WorkerContext]:
    settings = Settings(database_url=database_url, base_url=sandbox.api_url, api_key=sandbox.key, rate=10_000)
    context = open_context(settings, clock=clock)
    yield context
    context.close()


@dataclass
class Post:
    """Opens mailings, lets the beat and the workers work, and looks at rows."""

    context: WorkerContext
    engine: Engine
    clock: Clock

    def open(self, schedule: Schedule = SEND_NOW, *, approval: Approval = Approval.AUTO) -> int:
        new = NewMailing(
            key=os.urandom(8).hex(),
            request_digest=b"digest",
            priority=Priority.CAMPAIGN,
            template_id=1001,
            postage="Standard",
            speed="Normal",
            size=1,
            approval=approval,
            schedule=schedule,
        )
        with self.engine.begin() as connection:
            (mailing_id,) = transitions.insert_mailings(connection, [new], self.clock())
            connection.execute(insert(Recipient), [{"mailing_id": mailing_id, **_PERSON}])
        return mailing_id

    def tick(self) -> list[int]:
        """Scan once, as the beat does, and do all that it pushes; returns whom it was pushed for."""
        pushed: list[int] = []

        def push(_: Priority, first: Stage, mailing_ids: Sequence[int]) -> None:
            pushed.extend(mailing_ids)
            for stage in dispatcher.rest_of_chain(first):
                process(self.context, mailing_ids, stage, RunBudget())

        dispatcher.run_once(self.context, self.clock(), lambda _: 0, push)
        return pushed

    def job(self, mailing_id: int) -> Row[Any]:
        """Scan until nothing is due, a day of waiting for payments and the like included."""
        for _ in range(8):
            if not self.tick():
                self.clock.go_to(self.clock.at + timedelta(seconds=10))
            row = self.row(mailing_id)
            if row.state not in {State.QUEUED, State.WORKING}:
                return row
        return self.row(mailing_id)

    def row(self, mailing_id: int) -> Row[Any]:
        with self.engine.connect() as connection:
            return connection.execute(
                select(*Mailing.__table__.columns).where(Mailing.id == mailing_id)
            ).one()

    def approve(self, mailing_id: int) -> None:
        with self.engine.begin() as connection:
            transitions.approve(connection, mailing_id, "tester", self.clock())


_PERSON = {
    "position": 0,
    "digest": b"0123456789abcdef",
    "first_name": "Ada",
    "last_name": "Byron",
    "address1": "100 Main Street",
    "city": "Springfield",
    "state": "IL",
    "zip_code": "62701",
    "merge": {},
}


@pytest.fixture
def post(context: WorkerContext, engine: Engine, clock: Clock) -> Post:
    return Post(context, engine, clock)


@pytest.fixture
def paid(sandbox: Vendor, engine: Engine) -> Callable[[], list[Any]]:
    """Return a function that tells which of this test's orders the vendor was paid for, by its own ledger."""

    def orders() -> list[Any]:
        with engine.connect() as connection:
            ours = set(connection.scalars(select(Mailing.order_id)))
        return [one for one in sandbox.ledger()["orders"] if one["charges"] and one["id"] in ours]

    return orders
