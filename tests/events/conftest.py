"""What the tests of events stand on: triggers in force, events about made-up people, and ticks of a driven clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from intake import answering
from intake.answering import Tick
from intake.cloudevents import event_from
from intake.events import receive
from intake.receipts import Receipt, receipt
from intake.trigger_files import declared, load

SIGNUP = "com.example.signup"
PLACES = {
    "first_name": "data.first",
    "last_name": "data.last",
    "address1": "data.street",
    "city": "data.city",
    "state": "data.state",
    "zip_code": "data.zip",
}


def trigger(**changes: Any) -> dict[str, Any]:
    return {
        "name": "welcome",
        "on": SIGNUP,
        "template": 1001,
        "recipient": PLACES,
        "merge": {"custom1": "data.plan"},
        **changes,
    }


def event(number: int = 0, **changes: Any) -> dict[str, Any]:
    data = {
        "first": f"Ann{number}",
        "last": "Lee",
        "street": f"{number + 1} Oak St",
        "city": "Boston",
        "state": "MA",
        "zip": "02108",
        "plan": "pro",
        **changes.pop("data", {}),
    }
    return {
        "specversion": "1.0",
        "id": f"signup-{number}",
        "source": "shop",
        "type": SIGNUP,
        "data": data,
        **changes,
    }


@dataclass
class Shop:
    """Events in, ticks, receipts out, on a database of the test's own and under a clock that it drives."""

    engine: Engine
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def declare(self, *triggers: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            load(connection, declared({"trigger": list(triggers)}, "triggers.toml"), "tests", self.at)

    def happen(self, *events: dict[str, Any]) -> list[int]:
        taken = receive(self.engine, [event_from(one) for one in events], clock=lambda: self.at)
        return [one.number for one in taken]

    def tick(self, after: timedelta = timedelta()) -> int:
        self.at += after
        return answering.run_once(self.engine, Tick(self.at, "UTC", timedelta(seconds=60)))

    def receipt(self, number: int) -> Receipt:
        with self.engine.connect() as connection:
            found = receipt(connection, number)
        assert found is not None
        return found

    def outcomes(self, *numbers: int) -> list[str]:
        return [self.receipt(number).outcome.value for number in numbers]


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(engine)


@pytest.fixture
def an_event() -> Callable[..., dict[str, Any]]:
    return event


@pytest.fixture
def a_trigger() -> Callable[..., dict[str, Any]]:
    return trigger


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Return a function that waits until something is true of processes that run by themselves."""

    def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.05)

    return wait_until
