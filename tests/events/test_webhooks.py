"""Webhooks: told of what happened, signed, again and again for days, and never where they must not go."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from models import Mailing, Notice, NoticeKind, Webhook
from worker import outbox, webhooks
from worker.egress import is_allowed, networks
from worker.settings import Settings
from worker.signatures import fresh_secret, verify

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LOCAL = "127.0.0.1/32"


@dataclass
class Receiver:
    """A program that is told: what it got, and what it answers next."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = found.answers.pop(0) if found.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("location", found.url)
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
class Office:
    """A mailing to tell of, webhooks, and the tick that sends what is due, at any time."""

    engine: Any
    settings: Settings
    at: datetime = NOW

    def hook(self, url: str, *kinds: str, **values: Any) -> str:
        secret = fresh_secret()
        with self.engine.begin() as connection:
            connection.execute(insert(Webhook).values(url=url, kinds=list(kinds), secrets=[secret], **values))
        return secret

    def tell(self, mailing_id: int, kind: NoticeKind = NoticeKind.MAILING_SENT) -> None:
        with self.engine.begin() as connection:
            outbox.tell(connection, kind, mailing_id, self.at)

    def tick(self, after: timedelta = timedelta()) -> int:
        self.at += after
        return webhooks.run_once(self.engine, self.settings, self.at)

    def notices(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(*Notice.__table__.columns).order_by(Notice.id)))

    def webhook(self) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(select(*Webhook.__table__.columns)).one()


@pytest.fixture
def office(engine: Any) -> Office:
    return Office(engine, Settings(webhook_networks=LOCAL))


@pytest.fixture
def mailing(shop: Any, an_event: Any, a_trigger: Any) -> int:
    shop.declare(a_trigger())
    shop.happen(an_event())
    shop.tick()
    return 1


def test_a_notice_is_signed_and_names_numbers_and_nobody(
    office: Office, receiver: Receiver, mailing: int
) -> None:
    secret = office.hook(receiver.url)
    with office.engine.begin() as connection:
        connection.execute(update(Mailing).values(order_id=77))
    office.tell(mailing)

    assert office.tick() == 1

    ((headers, body),) = receiver.got
    verify([secret], headers, body)
    assert json.loads(body) == {
        "type": "mailing.sent",
        "timestamp": "2026-11-22T09:00:00Z",
        "data": {"mailing": mailing, "trigger": 1, "order": 77},
    }
    assert office.notices()[0].taken_at == NOW


def test_a_webhook_is_told_only_what_it_wants(office: Office, receiver: Receiver, mailing: int) -> None:
    office.hook(receiver.url, "mailing.failed")

    office.tell(mailing)
    office.tell(mailing, NoticeKind.MAILING_FAILED)

    assert [notice.kind for notice in office.notices()] == ["mailing.failed"]


def test_a_refused_notice_is_sent_again_later_under_the_same_id(
    office: Office, receiver: Receiver, mailing: int
) -> None:
    office.hook(receiver.url)
    office.tell(mailing)
    receiver.answers = [500, 302, 200]

    taken = [office.tick(), office.tick(timedelta(seconds=3)), office.tick(timedelta(seconds=3))]
    taken.append(office.tick(timedelta(seconds=31)))

    assert taken == [0, 0, 0, 1]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert [notice.attempts for notice in office.notices()] == [3]
    assert office.webhook().failing_since is None


def test_a_notice_is_given_up_after_a_week_and_a_webhook_disabled_after_days(
    office: Office, receiver: Receiver, mailing: int, caplog: pytest.LogCaptureFixture
) -> None:
    office.hook(receiver.url)
    office.tell(mailing)
    receiver.answers = [500] * 100

    with caplog.at_level(logging.WARNING):
        for _ in range(40):
            office.tick(timedelta(hours=6))

    assert office.webhook().disabled_why.startswith("failing since 2026-11-22")
    assert "webhook_disabled: webhook 1" in caplog.text
    tried = len(receiver.got)
    office.tick(timedelta(days=1))
    assert len(receiver.got) == tried


def test_what_a_disabled_webhook_missed_is_sent_once_it_is_enabled(
    office: Office, receiver: Receiver, mailing: int
) -> None:
    office.hook(receiver.url, disabled_at=NOW, disabled_why="gone")
    office.tell(mailing)
    assert office.tick() == 0

    with office.engine.begin() as connection:
        connection.execute(update(Webhook).values(disabled_at=None, disabled_why=None))

    assert office.tick() == 1


def test_a_receiver_that_is_gone_is_not_asked_again(office: Office, receiver: Receiver, mailing: int) -> None:
    office.hook(receiver.url)
    office.tell(mailing)
    receiver.answers = [410]

    office.tick()

    assert office.webhook().disabled_why == "its receiver says it is gone"


def test_a_receiver_that_nobody_can_reach_keeps_the_next_one_not_waiting(
    office: Office, receiver: Receiver, mailing: int
) -> None:
    office.hook("http://127.0.0.1:9/hook")
    office.hook(receiver.url)
    office.tell(mailing)

    taken = [office.tick(), office.tick()]

    assert sum(taken) == 1
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "https://127.0.0.1:{port}/"]
)
def test_nothing_is_sent_to_this_machine_unless_its_network_is_allowed(
    engine: Any, receiver: Receiver, mailing: int, url: str
) -> None:
    office = Office(engine, Settings())
    office.hook(url.format(port=receiver.port))
    office.tell(mailing)

    office.tick()

    assert receiver.got == []
    assert "MAILRUN_WEBHOOK_NETWORKS" in office.notices()[0].why


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.1.1.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("fe80::1", False),
        ("fc00::1", False),
    ],
)
def test_only_public_addresses_may_be_told(address: str, allowed: bool) -> None:
    assert is_allowed(ip_address(address), (), plain=False) is allowed


def test_plain_http_goes_to_allowed_networks_only() -> None:
    assert not is_allowed(ip_address("8.8.8.8"), networks("10.0.0.0/8"), plain=True)
    assert is_allowed(ip_address("10.1.1.1"), networks("10.0.0.0/8"), plain=True)


def test_a_move_that_is_undone_tells_nobody(office: Office, receiver: Receiver, mailing: int) -> None:
    office.hook(receiver.url)

    with office.engine.connect() as connection:
        outbox.tell(connection, NoticeKind.MAILING_SENT, mailing, NOW)
        connection.rollback()

    with office.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Notice)) == 0
