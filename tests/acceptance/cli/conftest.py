"""What the command line's tests stand on: the command as people run it, and one `mailrun up` for all of them."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest
from psycopg import sql

from console.local.postgres import Postgres
from console.local.roles import OWNER
from worker.settings import SANDBOX_KEY

ROOT: Final = Path(__file__).parents[3]
PATIENCE_SECONDS: Final = 60.0
# A command that starts servers of its own, on two busy cores.
LONGEST_COMMAND_SECONDS: Final = 240.0
HEADINGS: Final = "First Name,Last Name,Address,City,State,ZIP,custom1\n"


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line in which it complains; fails the test if there is none, several, or a traceback."""
        complaints = [line for line in self.err.splitlines() if line.startswith("mailrun: ")]
        assert len(complaints) == 1, self.err
        assert self.err.endswith(f"{complaints[0]}\n")
        assert "Traceback" not in self.err + self.out
        assert self.code != 0
        return complaints[0].removeprefix("mailrun: ")

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


class Running:
    """A command that runs, and what it has said so far."""

    def __init__(self, warm: socket.socket, request: dict[str, Any], directory: Path, stdin: int) -> None:
        self.out, self.err = (directory / f"{name}-{uuid.uuid4().hex}" for name in ("out", "err"))
        told, report = os.pipe()
        with self.out.open("wb") as out, self.err.open("wb") as err:
            streams = [stdin, out.fileno(), err.fileno(), report]
            socket.send_fds(warm, [json.dumps(request).encode() + b"\n"], streams)
        os.close(report)
        self._told = told
        self.pid = int(self._read_line(PATIENCE_SECONDS))
        self._code: int | None = None

    def _read_line(self, seconds: float) -> str:
        """Return the next line of the process that runs the command; fails the test if none comes in time."""
        line = b""
        deadline = time.monotonic() + seconds
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._told], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"still running after {seconds} s: {self.said()}"
            read = os.read(self._told, 1)
            assert read, f"gone without an exit code: {self.said()}"
            line += read
        return line.decode()

    def said(self) -> str:
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    def wait_for(self, words: str) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.said():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)
        return self.said()

    def interrupt(self) -> None:
        os.kill(self.pid, signal.SIGINT)

    def end(self) -> int:
        """Return its exit code once it has one."""
        if self._code is None:
            self._code = int(self._read_line(LONGEST_COMMAND_SECONDS))
            os.close(self._told)
        return self._code

    def kill(self) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.end()


@dataclass(frozen=True)
class CommandLine:
    """`mailrun` with one environment, in one directory."""

    warm: socket.socket
    env: Mapping[str, str]
    directory: Path
    logs: Path
    started: list[tuple[Running, int]]
    sigint_ignored: bool = False

    def ignoring_sigint(self) -> "CommandLine":
        """Return it as a script's `mailrun ... &` starts it."""
        return replace(self, sigint_ignored=True)

    def inside(self, directory: Path) -> "CommandLine":
        """Return it in another directory."""
        return replace(self, directory=directory)

    def run(self, *arguments: str, **env: str) -> Ran:
        """Run a command to its end, with nobody at the keyboard."""
        with open(os.devnull, "rb") as nobody:  # noqa: PTH123 - a device
            ran = Running(self.warm, self._request(arguments, env), self.logs, nobody.fileno())
        return Ran(ran.end(), ran.out.read_text(), ran.err.read_text())

    def ask(self, *arguments: str, **env: str) -> tuple[Running, Callable[[str], int]]:
        """Start a command in a terminal; returns it, and a function that types."""
        keyboard, stdin = pty.openpty()
        running = Running(self.warm, self._request(arguments, env), self.logs, stdin)
        os.close(stdin)
        self.started.append((running, keyboard))
        return running, lambda words: os.write(keyboard, words.encode())

    def write(self, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        (self.directory / name).write_bytes(data)

    def files(self) -> set[str]:
        return {path.name for path in self.directory.iterdir()}

    def end_all(self) -> None:
        for running, keyboard in self.started:
            running.kill()
            os.close(keyboard)

    def _request(self, arguments: tuple[str, ...], env: Mapping[str, str]) -> dict[str, Any]:
        return {
            "arguments": arguments,
            "directory": str(self.directory),
            "sigint_ignored": self.sigint_ignored,
            "env": {**os.environ, "PYTHONPATH": str(ROOT), **self.env, **env},
        }


@pytest.fixture(scope="session")
def warm() -> Iterator[socket.socket]:
    """Yield the socket of a process that runs commands; see `warm.py`."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("warm.py"))],
        stdin=theirs.fileno(),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    theirs.close()
    yield ours
    ours.close()
    assert process.wait(PATIENCE_SECONDS) == 0


def _command_line(warm: socket.socket, env: Mapping[str, str], tmp_path: Path) -> CommandLine:
    directory, logs = tmp_path / "here", tmp_path / "logs"
    directory.mkdir()
    logs.mkdir()
    return CommandLine(warm, env, directory, logs, [])


@pytest.fixture
def command_line(
    warm: socket.socket, tmp_path: Path, database_url: str, redis_url: str, broker_prefix: str
) -> Iterator[CommandLine]:
    """Yield `mailrun` on a database of this test's own, with no worker and, at first, no vendor."""
    env = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MAILRUN_BROKER_PREFIX": broker_prefix}
    here = _command_line(warm, env, tmp_path)
    yield here
    here.end_all()


@dataclass(frozen=True)
class House:
    """A running `mailrun up` with a sandbox."""

    env: Mapping[str, str]
    sandbox_url: str

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = httpx.request(method, f"{self.sandbox_url}/sandbox/{path}", json=body, timeout=30)
        assert answer.is_success, answer.text
        return answer.json()

    def fail(self, endpoint: str, kind: str, **rule: object) -> None:
        self.control("POST", "faults", {"endpoint": endpoint, "kind": kind, **rule})

    def order(self, order_id: int) -> Any:
        """Return what the sandbox's ledger has on an order."""
        return next(order for order in self.control("GET", "ledger")["orders"] if order["id"] == order_id)


@pytest.fixture(scope="session")
def house(postgres: Postgres, redis_url: str, run_dir: Path) -> Iterator[House]:
    """Yield a `mailrun up` that all tests of the command line share; each sends campaigns of its own."""
    database = f"cli_{uuid.uuid4().hex}"
    with postgres.connect() as connection:
        statement = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(statement.format(sql.Identifier(database), sql.Identifier(OWNER)))
    env = {
        "DATABASE_URL": postgres.url(database),
        "MIGRATION_DATABASE_URL": postgres.owner_url(database),
        "REDIS_URL": redis_url,
        "MAILRUN_BROKER_PREFIX": f"{database}:",
        "MAILRUN_DATA_DIR": str(run_dir / "cli"),
        "LETTRLABS_API_KEY": SANDBOX_KEY,
        "LETTRLABS_BASE_URL": "",
        "MAILRUN_POLL_SECONDS": "0.2",
        "MAILRUN_TICK_SECONDS": "0.2",
        "MAILRUN_RETRY_SECONDS": "0.3",
        "MAILRUN_SETTLEMENT_WINDOW_SECONDS": "1",
        "MAILRUN_VISIBILITY_WINDOW_SECONDS": "1",
        "LETTRLABS_RATE": "1000",
    }
    process, url = _start_up(env, run_dir)
    house = House(env, url)
    house.control("POST", "settings", {"settleSeconds": 0.3})
    yield house
    process.terminate()
    assert process.wait(PATIENCE_SECONDS) == 0
    with postgres.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


def _start_up(env: Mapping[str, str], run_dir: Path) -> tuple[subprocess.Popen[bytes], str]:
    log = run_dir / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "console", "up"],
            cwd=run_dir,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "Everything runs." not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    vendor = next(line for line in log.read_text().splitlines() if line.startswith("SANDBOX at "))
    return process, vendor.removeprefix("SANDBOX at ").partition("/api")[0]


@pytest.fixture
def mailrun(house: House, warm: socket.socket, tmp_path: Path) -> Iterator[CommandLine]:
    """Yield `mailrun` beside a running `mailrun up`."""
    here = _command_line(warm, house.env, tmp_path)
    yield here
    here.end_all()
    house.control("DELETE", "faults")


@pytest.fixture
def nothing_kept(database_url: str) -> Callable[[], bool]:
    """Return a function that tells whether this test's database is still empty."""

    def look() -> bool:
        with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
            tables = ("campaign", "mailing", "recipient", "rejected_row")
            rows = [connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in tables]  # noqa: S608
        return rows == [(0,)] * len(tables)

    return look


@pytest.fixture
def some_people() -> Callable[[int], str]:
    """Return a function that makes up a list of people whom no other test knows."""
    tag = uuid.uuid4().hex[:8]

    def list_of(count: int) -> str:
        lines = (
            f"First{n},Last{tag}{n},{100 + n} Oak St,Springfield,IL,62701,Hello {tag}\n" for n in range(count)
        )
        return HEADINGS + "".join(lines)

    return list_of
