"""The real sandbox in a process of its own, whose time stands still unless moved, and which can be emptied.

Run as a program it is that process. Nothing else of the sandbox is changed: what survives a restart is tested
elsewhere, so its journal is not written here.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from sandbox import DEFAULT_KEY, persisted_state
from sandbox.clock import Clock
from sandbox.control import Control
from sandbox.event_log import Journal
from sandbox.http import server
from sandbox.state import State

# A Monday: every run sees the same business days.
START: Final = datetime(2026, 1, 5, 14, tzinfo=UTC)
_START: Final = START.timestamp()


class _EmptyingControl(Control):
    """The operator's API, and a way to begin anew."""

    def __init__(self, kept: persisted_state.Books) -> None:
        super().__init__(kept)
        self._actions = {**self._actions, ("POST", "/sandbox/empty"): self._empty}

    def _empty(self, _: bytes) -> object:
        self._books.world = State(Clock(_START, _START))
        return {}


def main(state: Path) -> None:
    persisted_state.time = SimpleNamespace(time=lambda: _START)  # type: ignore[assignment]
    Journal.append = lambda *_: None  # type: ignore[assignment,method-assign]
    server.Control = _EmptyingControl  # type: ignore[misc]
    server.serve(persisted_state.Books(state), DEFAULT_KEY, server.listen("127.0.0.1", 0))


@contextmanager
def served(state: Path) -> Iterator[str]:
    """Yield the address of such a process, which is gone afterwards."""
    command = [sys.executable, __file__, str(state)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("sandbox ready on "), ready
        yield ready.split()[-1]
        process.terminate()


class Operator:
    """Speaks to the sandbox's control API."""

    def __init__(self, url: str) -> None:
        self._address = url.removeprefix("http://")

    def empty(self) -> None:
        self._call("POST", "empty")

    def ledger(self) -> dict[str, Any]:
        told: dict[str, Any] = self._call("GET", "ledger")
        return told

    def fail(self, endpoint: str, kind: str, **rule: object) -> None:
        self._call("POST", "faults", {"endpoint": endpoint, "kind": kind, **rule})

    def heal(self) -> None:
        self._call("DELETE", "faults")

    def faults(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self._call("GET", "faults")["faults"]
        return told

    def advance(self, seconds: float) -> None:
        self._call("POST", "clock", {"advanceSeconds": seconds})

    def set(self, **settings: object) -> None:
        self._call("POST", "settings", settings)

    def change(self, order: int, **change: object) -> None:
        """Change an order as the vendor's support would."""
        self._call("POST", f"orders/{order}", change)

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        # A connection a call: one that is kept may be closed by the other side just as a test uses it.
        connection = http.client.HTTPConnection(self._address, timeout=30)
        with closing(connection):
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.request(method, f"/sandbox/{path}", None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
        assert answer.status == http.client.OK, f"{method} {path}: {answer.status} {text!r}"
        return json.loads(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
