"""What the tests of events stand on: triggers in force, events about made-up people, webhooks, a driven clock."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from intake.events import processor
from intake.events.cloudevents import event_from
from intake.events.inbox import receive
from intake.events.processor import ProcessingTime
from intake.events.receipts import Receipt, receipt
from intake.events.trigger_files import declared, load
from models import NotificationType, Webhook, WebhookDelivery
from worker.periodic import webhook_delivery
from worker.settings import Settings
from worker.webhooks import outbox
from worker.webhooks.signatures import fresh_secret

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LOCAL = "127.0.0.1/32"
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
        return processor.run_once(self.engine, ProcessingTime(self.at, "UTC", timedelta(seconds=60)))

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


@dataclass
class Receiver:
    """A program that is told: what it got, and what it answers next."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.paths.append(self.path)
            found.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = found.answers.pop(0) if found.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("location", f"{found.url}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class WebhookReceiver:
    """A mailing to tell of, webhooks, and the tick that sends what is due, at any time."""

    engine: Any
    settings: Settings
    at: datetime = NOW

    def hook(self, url: str, *kinds: str, **values: Any) -> str:
        secret = fresh_secret()
        with self.engine.begin() as connection:
            connection.execute(insert(Webhook).values(url=url, kinds=list(kinds), secrets=[secret], **values))
        return secret

    def tell(self, mailing_id: int, kind: NotificationType = NotificationType.MAILING_SENT) -> None:
        with self.engine.begin() as connection:
            outbox.enqueue(connection, kind, mailing_id, self.at)

    def tick(self, after: timedelta = timedelta()) -> int:
        self.at += after
        return webhook_delivery.run_once(self.engine, self.settings, self.at)

    def rest(self) -> None:
        """Have the webhook be well and at rest again, as after a notice that was taken."""
        well = {"failures": 0, "failing_since": None, "busy_until": self.at}
        with self.engine.begin() as connection:
            connection.execute(update(Webhook).values(**well))

    def notices(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(
                connection.execute(select(*WebhookDelivery.__table__.columns).order_by(WebhookDelivery.id))
            )

    def webhook(self) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(select(*Webhook.__table__.columns)).one()


@pytest.fixture
def office(engine: Any) -> WebhookReceiver:
    return WebhookReceiver(engine, Settings(webhook_networks=LOCAL))


@pytest.fixture
def mailing(shop: Any, an_event: Any, a_trigger: Any) -> int:
    shop.declare(a_trigger())
    shop.happen(an_event())
    shop.tick()
    return 1
