"""What the tests of the HTTP interface stand on: the application on a real socket, in a thread of this process."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select
from starlette.applications import Starlette
from uvicorn import Server

from console.api.app import build
from console.api.server import configure, listen
from console.api.tokens import Scope, create_token
from worker.settings import Settings
from worker.webhooks.signatures import fresh_secret, sign

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
LIST = "First name,Last name,Address,City,State,ZIP\n"


@dataclass(frozen=True)
class Api:
    """The interface, a token for everything, and the secret that events are signed with."""

    client: httpx.Client
    engine: Engine
    secret: str
    app: Starlette

    def token(self, *scopes: Scope) -> str:
        with self.engine.begin() as connection:
            return create_token(connection, uuid.uuid4().hex, scopes) or ""

    @property
    def address(self) -> tuple[str, int]:
        return self.client.base_url.host, self.client.base_url.port or 0

    def mail(self, *people: Mapping[str, Any], key: str | None = "key", **wishes: Any) -> httpx.Response:
        headers = {} if key is None else {"idempotency-key": key}
        body = {"template": 1001, "recipients": list(people), **wishes}
        return self.client.post("/v1/mailings", json=body, headers=headers)

    def upload(self, rows: str, *, key: str | None = None, **query: Any) -> httpx.Response:
        headers = {"content-type": "text/csv"} | ({} if key is None else {"idempotency-key": key})
        asked = {"template": 1001, **query}
        return self.client.post("/v1/campaigns", params=asked, content=LIST + rows, headers=headers)

    def send_list(self, body: bytes, kind: str = XLSX, **query: Any) -> httpx.Response:
        asked = {"template": 1001, **query}
        return self.client.post("/v1/campaigns", params=asked, content=body, headers={"content-type": kind})

    def event(self, body: Any, kind: str = "application/cloudevents+json", **headers: str) -> httpx.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        message_id = headers.pop("message_id", None) or f"msg_{uuid.uuid4().hex}"
        signed = sign([headers.pop("secret", self.secret)], message_id, datetime.now(UTC), text)
        return self.client.post(
            "/v1/events", content=text, headers={**signed, "content-type": kind, **headers}
        )


@pytest.fixture
def api_settings() -> dict[str, Any]:
    """Settings of the service beside its event secrets; a module may override this fixture."""
    return {}


@pytest.fixture
def api(engine: Engine, api_settings: dict[str, Any]) -> Iterator[Api]:
    secret = fresh_secret()
    with engine.begin() as connection:
        token = create_token(connection, "all", Scope)
    secrets = f"{fresh_secret()} {secret} {api_settings.pop('more_secrets', '')}"
    app = build(engine, Settings(event_secrets=secrets, **api_settings))
    server = Server(configure(app))
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=30) as client:
            yield Api(client, engine, secret, app)
        server.should_exit = True
        thread.join()


@pytest.fixture
def person() -> Callable[..., dict[str, Any]]:
    def make(number: int = 0, **changes: Any) -> dict[str, Any]:
        return {
            "first_name": f"Ann{number}",
            "last_name": "Lee",
            "address1": f"{number + 1} Oak St",
            "city": "Boston",
            "state": "MA",
            "zip_code": "02108",
            **changes,
        }

    return make


def count(api: Any, table: Any) -> int:
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"]) == (status, status)
    assert told["type"].startswith("urn:mailrun:problem:")
    return told
