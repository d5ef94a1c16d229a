"""A real sandbox process for each test that asks, and a client that speaks to it as a stranger would."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox import DEFAULT_KEY
from sandbox.settings import Settings


class Sandbox:
    """One state directory and the process that serves it; `vendor` has a key, `control` needs none."""

    def __init__(self, state: Path, *options: str) -> None:
        self._state = state
        self._options = options
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(self._state)]
        self.process = subprocess.Popen(
            [*command, *self._options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        assert ready.startswith("sandbox ready on http://127.0.0.1:"), ready
        self.url = ready.split()[-1]
        self.vendor = self.client("/api/v1", {"X-API-KEY": DEFAULT_KEY})
        self.control = self.client("/sandbox")

    def client(self, path: str, headers: dict[str, str] | None = None) -> httpx.Client:
        # Without TLS there is nothing to verify, and reading the certificates takes longer than most tests.
        return httpx.Client(base_url=self.url + path, headers=headers, timeout=5, verify=False)  # noqa: S501

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def ledger(self) -> dict[str, Any]:
        return self.told(self.control.get("/ledger"))

    def totals(self) -> dict[str, Any]:
        return self.told(self.control.get("/ledger", params={"summary": 1}))

    def faults(self, *rules: dict[str, object]) -> None:
        self.told(self.control.post("/faults", json=list(rules)))

    def change(self, **settings: object) -> None:
        self.told(self.control.post("/settings", json=settings))

    def people(self, order: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.payload(self.vendor.get(f"/order/{order}/recipients"))[
            "recipients"
        ]
        return found

    def later(self, **time: float) -> None:
        self.told(self.control.post("/clock", json={"advanceSeconds": 86400 * time.pop("days", 0), **time}))

    def told(self, response: httpx.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told

    def payload(self, response: httpx.Response) -> dict[str, Any]:
        payload: dict[str, Any] = self.told(response)["payload"]
        return payload

    def draft(self, *people: dict[str, Any], template: int = 1001) -> int:
        order: int = self.payload(self.vendor.post("/order", json={"templateId": template}))["orderId"]
        if people:
            self.payload(self.vendor.put(f"/order/{order}/recipients", json={"recipients": people}))
        return order

    def row(self, order: int, **query: object) -> dict[str, Any]:
        (row,) = self.payload(self.vendor.get("/order", params={"id": order, **query}))["orders"]
        found: dict[str, Any] = row
        return found

    def checkout(self, order: int, **options: object) -> httpx.Response:
        body = {
            "postageType": "Standard",
            "productionSpeed": "Normal",
            "holdUntilDate": None,
            "autoBill": True,
        }
        return self.vendor.post(f"/order/{order}/checkout", json={**body, **options})

    def _end(self, how: signal.Signals) -> int:
        self.vendor.close()
        self.control.close()
        self.process.send_signal(how)
        self.process.communicate(timeout=10)
        return self.process.returncode


Start = Callable[..., Sandbox]
Person = Callable[..., dict[str, Any]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start sandboxes; each is gone when the test ends."""
    started: list[Sandbox] = []

    def begin(*options: str, state: str = "state") -> Sandbox:
        started.append(Sandbox(tmp_path / state, *options))
        return started[-1]

    yield begin
    for sandbox in started:
        if sandbox.process.poll() is None:
            sandbox.kill()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One process for all the tests that only look at their own orders."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), "--settle-seconds", "30")
    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture
def sandbox(shared: Sandbox) -> Iterator[Sandbox]:
    """A sandbox without faults and with its first manners, which other tests also use."""
    yield shared
    shared.control.delete("/faults").raise_for_status()
    shared.change(**Settings(settle_seconds=30).model_dump(mode="json", by_alias=True))


@pytest.fixture
def person() -> Person:
    """Make a recipient at a good address; each number another one."""

    def make(number: int = 1, **changes: object) -> dict[str, Any]:
        address = {"address1": f"{number} Oak Street", "city": "Austin", "state": "TX", "zipCode": "78701"}
        personal = {"firstName": f"Ann{number}", "lastName": "Lee"}
        for name, value in changes.items():
            (personal if name in ("firstName", "lastName") else address)[name] = value
        return {"address": address, "personal": personal, "metadata": {"custom1": f"Offer {number}."}}

    return make
