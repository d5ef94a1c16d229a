"""Hostile clients: endless heads, silent connections, unsigned floods, captured events; a database that hangs."""

import json
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import text

from console.api import guard, protocol, request_parsing
from console.api.request_parsing import UnverifiedBodies
from console.api.tokens import Scope, create_token
from models import Event, Mailing
from tests.acceptance.api.conftest import count, problem
from worker.webhooks.signatures import HEADERS, fresh_secret

EVENT = {"specversion": "1.0", "id": "msg_1", "source": "shop", "type": "order.paid", "data": {}}
HOST = b"Host: localhost\r\n"


def connect(api: Any) -> socket.socket:
    return socket.create_connection(api.address, timeout=20)


def answer_to(api: Any, *parts: bytes) -> tuple[int, dict[str, Any]]:
    """Return the status and problem document that these bytes get, however many of them the service takes."""
    with closing(connect(api)) as client:
        for part in parts:
            try:
                client.sendall(part)
            except OSError:
                break
        received = b""
        while piece := _receive(client):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def _receive(client: socket.socket) -> bytes:
    try:
        return client.recv(65_536)
    except ConnectionError:
        return b""


def test_a_header_without_an_end_is_refused_after_64_kib(api: Any) -> None:
    endless = [b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-Long: ", *([b"a" * 65_536] * 200)]

    started = time.process_time()
    status, told = answer_to(api, *endless)

    assert (status, told["type"]) == (431, "urn:mailrun:problem:head-too-large")
    assert time.process_time() - started < 2


def test_many_headers_that_are_too_much_together_are_refused(api: Any) -> None:
    headers = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(70))

    status, _ = answer_to(api, b"GET /healthz HTTP/1.1\r\n" + HOST + headers + b"\r\n")

    assert status == 431


def test_a_large_body_is_no_large_head(api: Any) -> None:
    body = b" " * 200_000
    head = b"POST /v1/events HTTP/1.1\r\n" + HOST + b"Content-Length: 200000\r\nConnection: close\r\n\r\n"

    status, told = answer_to(api, head + body)

    assert (status, told["type"]) == (401, "urn:mailrun:problem:not-signed")


def test_a_head_that_does_not_end_in_time_is_refused(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)

    status, told = answer_to(api, b"GET /healthz HTTP/1.1\r\n" + HOST)

    assert (status, told["type"]) == (408, "urn:mailrun:problem:head-too-slow")


def test_a_silent_connection_is_closed(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)

    with closing(connect(api)) as client:
        assert client.recv(1) == b""


def test_a_body_that_does_not_arrive_in_time_is_refused(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_parsing, "BODY_SECONDS", 0.2)
    signed = b"".join(f"{name}: 1\r\n".encode() for name in HEADERS)
    head = (
        b"POST /v1/events HTTP/1.1\r\n" + HOST + signed + b"Content-Length: 9\r\nConnection: close\r\n\r\n{"
    )

    status, told = answer_to(api, head)

    assert (status, told["type"]) == (408, "urn:mailrun:problem:body-too-slow")


def test_what_is_not_http_is_a_problem_document_and_is_counted_in_the_log(
    api: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([100.0, 100.0, 101.0, 102.0, 161.0, 161.0])
    monkeypatch.setattr(protocol, "MALFORMED", protocol.MalformedRequests(lambda: next(times)))

    with caplog.at_level(logging.WARNING):
        answers = [answer_to(api, b"\x16\x03\x01 hello\r\n\r\n") for _ in range(4)]

    assert {status for status, _ in answers} == {400}
    assert answers[0][1]["type"] == "urn:mailrun:problem:not-http"
    lines = [line for line in caplog.messages if "http" in line.lower()]
    assert lines == ["http_malformed count=1", "http_malformed count=3"]


def test_too_many_connections_are_told_to_come_back(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 1)

    with closing(connect(api)):
        status, told = answer_to(api, b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")

    assert (status, told["type"]) == (503, "urn:mailrun:problem:busy")


def test_unsigned_bodies_together_stay_within_their_bound(api: Any) -> None:
    context = api.app.state.house
    context.unverified.__init__(300_000)
    with context.unverified.hold() as add:
        add(200_000)
        answer = api.event(" " * 150_000)

        assert problem(answer, 503)["type"] == "urn:mailrun:problem:busy"

    assert problem(api.event(" " * 150_000), 400)


def test_an_unverified_body_gives_its_share_back() -> None:
    bodies = UnverifiedBodies(10)
    for _ in range(3):
        with bodies.hold() as add:
            add(10)


@pytest.mark.parametrize("path", ["/v1%2fmailings", "/v1/mailings%2F1", "/v1/%6Dailings", "/v1/mailings/%31"])
def test_a_path_with_escapes_is_unknown(api: Any, path: str) -> None:
    line = f"GET {path} HTTP/1.1\r\n".encode()

    status, told = answer_to(api, line + HOST + b"Connection: close\r\n\r\n")

    assert (status, told["type"]) == (404, "urn:mailrun:problem:not-found")


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
def test_an_encoded_body_is_refused(api: Any, person: Any, encoding: str) -> None:
    body = {"template": 1001, "recipients": [person()]}
    headers = {"content-encoding": encoding, "idempotency-key": "k"}

    problem(api.client.post("/v1/mailings", json=body, headers=headers), 415)
    assert count(api, Mailing) == 0


@pytest.fixture
def stopped_database(api: Any) -> Iterator[None]:
    """Stop the server process of each connection that the service holds, as SIGSTOP of the whole server would."""
    with api.engine.connect() as connection:
        pids = connection.scalars(
            text(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).all()
        own = connection.scalar(text("SELECT pg_backend_pid()"))
    stopped = [*pids, own]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_a_database_that_stands_still_is_a_503_and_holds_no_request(api: Any, stopped_database: None) -> None:
    del stopped_database

    answer = api.client.get("/readyz", timeout=20)

    assert problem(answer, 503)["type"] == "urn:mailrun:problem:too-slow"
    assert api.client.get("/healthz").status_code == 200


def test_refused_callers_and_writes_are_logged_without_their_secrets(
    api: Any, person: Any, caplog: pytest.LogCaptureFixture
) -> None:
    narrow = api.token(Scope.EVENTS_READ)
    with caplog.at_level(logging.INFO, logger=guard.__name__):
        api.client.get("/v1/mailings", headers={"authorization": "Bearer mailrun_stolen"})
        api.client.get("/v1/mailings", headers={"authorization": f"Bearer {narrow}"})
        api.client.post("/v1/events", json=EVENT)
        answer = api.mail(person())

    unknown, missing, unsigned, write = (line for line in caplog.messages if line.startswith("http_"))
    assert "http_refused caller=- client=127.0.0.1 method=GET route=/v1/mailings status=401" in unknown
    assert "http_refused caller=token:" in missing
    assert "code=scope_missing" in missing
    assert "route=/v1/events status=401 code=not_signed" in unsigned
    assert write.startswith("http_write caller=token:all")
    assert f"request={answer.headers['x-request-id']}" in write
    assert not {"stolen", narrow, "Ann0", "Oak"} & set(" ".join(caplog.messages).replace("=", " ").split())


def binary(event: dict[str, Any], **changes: str) -> dict[str, str]:
    return {f"ce-{name}": str(event[name]) for name in ("specversion", "id", "source", "type")} | changes


def test_binary_mode_is_off_unless_it_is_asked_for(api: Any) -> None:
    answer = api.event("{}", "application/json", message_id="msg_1", **binary(EVENT))

    assert problem(answer, 415)["type"] == "urn:mailrun:problem:binary-mode-off"


class TestBinaryMode:
    SECRET = fresh_secret()

    @pytest.fixture
    def api_settings(self) -> dict[str, Any]:
        bound = f"{self.SECRET};source=shop;type=order.paid"
        return {"event_binary_mode": True, "more_secrets": bound}

    def send(self, api: Any, **changes: str) -> Any:
        headers = binary(EVENT, **changes)
        return api.event("{}", "application/json", message_id="msg_1", secret=self.SECRET, **headers)

    def test_an_event_whose_attributes_are_covered_is_accepted_once(self, api: Any) -> None:
        assert self.send(api).status_code == 202
        assert self.send(api).status_code == 200

    def test_a_captured_message_makes_no_second_event(self, api: Any) -> None:
        self.send(api)

        for changes in ({"ce-id": "528"}, {"ce-source": "other"}, {"ce-type": "order.refunded"}):
            assert self.send(api, **changes).status_code in {401, 403}
        assert self.send(api, **{"ce-subject": "added", "ce-time": "2026-01-01T00:00:00Z"}).status_code == 200
        assert count(api, Event) == 1

    def test_a_secret_that_is_not_bound_sends_none(self, api: Any) -> None:
        answer = api.event("{}", "application/json", message_id="msg_1", **binary(EVENT))

        assert problem(answer, 403)["type"] == "urn:mailrun:problem:secret-not-bound"

    def test_a_bound_secret_signs_no_other_event_in_structured_mode(self, api: Any) -> None:
        other = api.event({**EVENT, "source": "warehouse"}, secret=self.SECRET)
        batch = api.event(
            [EVENT, {**EVENT, "id": "2", "type": "t"}],
            "application/cloudevents-batch+json",
            secret=self.SECRET,
        )

        assert problem(other, 403)["type"] == problem(batch, 403)["type"] == "urn:mailrun:problem:not-yours"
        assert count(api, Event) == 0


def test_one_key_of_two_owners_is_two_mailings(api: Any, person: Any) -> None:
    with api.engine.begin() as connection:
        tokens = [create_token(connection, name, Scope, owner=name) for name in ("ann", "ben")]
    body = {"template": 1001, "recipients": [person()]}

    answers = [
        api.client.post(
            "/v1/mailings", json=body, headers={"authorization": f"Bearer {token}", "idempotency-key": "1"}
        )
        for token in (*tokens, tokens[0])
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 200]
    assert answers[0].json()["id"] == answers[2].json()["id"] != answers[1].json()["id"]
