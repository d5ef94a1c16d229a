"""What the tests of time stand on: a desk and a sandbox under one clock that only tests move."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, Row, insert, select

from models import Approval, Mailing, Priority, Recipient, State
from worker import dispatch, moves
from worker.desk import Desk, open_desk
from worker.moves import Due, NewMailing
from worker.pipeline import Pace, deliver
from worker.schedule import AT_ONCE, Schedule
from worker.settings import SANDBOX_KEY, Settings


class Vendor:
    """One sandbox for all tests here: each looks at the orders of its own database, and time only goes on."""

    key = SANDBOX_KEY

    def __init__(self, url: str) -> None:
        self.api_url = f"{url}/api"
        # Without TLS there is nothing to verify, and reading the certificates takes longer than most tests.
        self._control = httpx.Client(base_url=f"{url}/sandbox", timeout=30, verify=False)  # noqa: S501

    def close(self) -> None:
        self._control.close()

    def ledger(self) -> Any:
        return self._control.get("/ledger").json()

    def now(self) -> datetime:
        return datetime.fromisoformat(self._control.get("/clock").json()["now"])

    def forward(self, seconds: float) -> None:
        self._control.post("/clock", json={"advanceSeconds": seconds}).raise_for_status()

    def settle_at_once(self) -> None:
        self._control.post("/settings", json={"settleSeconds": 0}).raise_for_status()

    def fail(self, endpoint: str, kind: str, **rule: object) -> None:
        rules = {"endpoint": endpoint, "kind": kind, **rule}
        self._control.post("/faults", json=rules).raise_for_status()

    def heal(self) -> None:
        self._control.delete("/faults").raise_for_status()


@pytest.fixture(scope="session")
def sandbox(run_dir: Path) -> Iterator[Vendor]:
    state = run_dir / "sandbox-of-time"
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        vendor = Vendor(process.stdout.readline().split()[-1])
        vendor.settle_at_once()
        yield vendor
        vendor.close()
        process.terminate()


@dataclass
class Clock:
    """The time, here and at the vendor."""

    sandbox: Vendor
    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def go_to(self, instant: datetime) -> None:
        self.sandbox.forward((instant - self.at).total_seconds())
        self.at = instant


@pytest.fixture
def clock(sandbox: Vendor) -> Clock:
    sandbox.heal()
    return Clock(sandbox, sandbox.now())


@pytest.fixture
def desk(database_url: str, sandbox: Vendor, clock: Clock) -> Iterator[Desk]:
    settings = Settings(database_url=database_url, base_url=sandbox.api_url, api_key=sandbox.key, rate=10_000)
    desk = open_desk(settings, clock=clock)
    yield desk
    desk.close()


@dataclass
class Post:
    """Opens mailings, lets the beat and the workers work, and looks at rows."""

    desk: Desk
    engine: Engine
    clock: Clock

    def open(self, schedule: Schedule = AT_ONCE, *, approval: Approval = Approval.AUTO) -> int:
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
            mailing_id = moves.open_mailing(connection, new, self.clock())
            connection.execute(insert(Recipient), [{"mailing_id": mailing_id, **_PERSON}])
        return mailing_id

    def tick(self) -> list[Due]:
        """Scan once, as the beat does, and do all that it pushes."""
        pushed: list[Due] = []
        dispatch.run_once(self.desk, self.clock(), lambda _: 0, lambda _, due: pushed.append(due))
        for due in pushed:
            for stage in dispatch.rest_of_chain(due.stage):
                deliver(self.desk, due.id, stage, Pace())
        return pushed

    def work(self, mailing_id: int) -> Row[Any]:
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
            moves.approve(connection, mailing_id, "tester", self.clock())


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
def post(desk: Desk, engine: Engine, clock: Clock) -> Post:
    return Post(desk, engine, clock)


@pytest.fixture
def paid(sandbox: Vendor, engine: Engine) -> Callable[[], list[Any]]:
    """Return a function that tells which of this test's orders the vendor was paid for, by its own ledger."""

    def orders() -> list[Any]:
        with engine.connect() as connection:
            ours = set(connection.scalars(select(Mailing.order_id)))
        return [one for one in sandbox.ledger()["orders"] if one["charges"] and one["id"] in ours]

    return orders
