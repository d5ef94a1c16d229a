import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from console.local.postgres import Postgres
from console.local.services import attach
from console.local.up import running_base_url, vendor_line
from worker.settings import LIVE_URL, SANDBOX_KEY, Settings

SECRET = "LL-API-made-up-for-this-test"  # noqa: S105 (opens nothing)
RUN_UP = """
import sys
from console.local.up import run_up
from worker.settings import Settings, read_settings
Settings.model_config["env_file"] = None
sys.exit(run_up(read_settings(), lambda line: print(line, flush=True)))
"""
PATIENCE = 30.0


@dataclass
class Ups:
    """Starts `up` in processes of their own, and finds all that comes of them."""

    data_dir: Path
    http: str = ""
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def start(self, **environment: str) -> "subprocess.Popen[str]":
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LETTRLABS_")}
        up = subprocess.Popen(
            [sys.executable, "-c", RUN_UP],
            env={**clean, "MAILRUN_DATA_DIR": str(self.data_dir), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(up)
        return up

    def processes(self, words: str = "") -> list[int]:
        """Return the processes at work in the data directory, of those whose command line has `words`."""
        return [
            int(place.name)
            for place in Path("/proc").iterdir()
            if place.name.isdigit() and self._works_here(place) and words in _command_line(place)
        ]

    def first_process(self, words: str) -> int:
        """Return the one of these processes that is no child of another: numbers begin anew some day."""
        found = self.processes(words)
        parents = {
            one: int(Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[1]) for one in found
        }
        return next(one for one in found if parents[one] not in found)

    def end_all(self) -> None:
        for up in self.started:
            up.kill()
            up.communicate()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def _works_here(self, place: Path) -> bool:
        try:
            return place.joinpath("cwd").readlink().is_relative_to(self.data_dir)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False


def _command_line(place: Path) -> str:
    try:
        return place.joinpath("cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.fixture
def ups(run_dir: Path) -> Iterator[Ups]:
    ups = Ups(run_dir / f"up-{uuid4().hex[:6]}")
    yield ups
    ups.end_all()


@pytest.fixture(scope="module")
def running(run_dir: Path) -> Iterator[tuple[Ups, "subprocess.Popen[str]"]]:
    """Yield an `up` with its sandbox, for tests that leave it running."""
    ups = Ups(run_dir / "up")
    up = ups.start()
    assert line_with(up, "SANDBOX at http://127.0.0.1:").endswith("nothing is charged.")
    ups.http = line_with(up, "HTTP at ").split()[2].rstrip(":")
    line_with(up, "Everything runs")
    yield ups, up
    assert end(up, signal.SIGTERM) == 0
    assert ups.processes() == []
    ups.end_all()


def line_with(up: "subprocess.Popen[str]", words: str) -> str:
    """Return the next line with `words`; an `up` that stays silent is killed, which ends its output."""
    assert up.stdout is not None
    read = []
    with_patience = threading.Timer(PATIENCE, up.kill)
    with_patience.start()
    try:
        for line in up.stdout:
            read.append(line)
            if words in line:
                return line.strip()
    finally:
        with_patience.cancel()
        with_patience.join()
    pytest.fail(f"{words!r} was not said, but this:\n{''.join(read)}")


def eventually(true: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end(up: "subprocess.Popen[str]", kind: signal.Signals) -> int:
    up.send_signal(kind)
    up.communicate(timeout=PATIENCE)
    return up.returncode


def test_up_runs_everything(running: tuple[Ups, "subprocess.Popen[str]"]) -> None:
    ups, _ = running

    for program in ("sandbox --port", "worker worker", "worker beat", "postgres -D", "valkey-server"):
        assert eventually(lambda program=program: ups.processes(program)), program


def test_other_terminals_learn_where_the_sandbox_is(running: tuple[Ups, "subprocess.Popen[str]"]) -> None:
    ups, _ = running

    url = running_base_url(ups.data_dir) or ""

    assert httpx.get(f"{url}/v1/me", headers={"X-API-KEY": SANDBOX_KEY}).is_success


def test_up_answers_http_where_it_says(running: tuple[Ups, "subprocess.Popen[str]"]) -> None:
    ups, _ = running

    def ready() -> bool:
        try:
            return httpx.get(f"{ups.http}/readyz").is_success
        except httpx.TransportError:
            return False

    assert eventually(ready)


def test_a_second_up_in_the_same_place_says_so_and_ends(running: tuple[Ups, "subprocess.Popen[str]"]) -> None:
    ups, _ = running

    second = ups.start()
    said, _ = second.communicate(timeout=PATIENCE)

    assert (second.returncode, said) == (1, f"mailrun up runs in {ups.data_dir} already; one is enough\n")
    assert attach(ups.data_dir) is not None


def test_what_dies_is_started_again(running: tuple[Ups, "subprocess.Popen[str]"]) -> None:
    ups, up = running
    programs = {"worker worker": "worker-1", "worker beat": "beat", "sandbox --port": "sandbox"}
    for words in programs:
        os.kill(ups.first_process(words), signal.SIGKILL)
    os.kill(Postgres(ups.data_dir / "postgres").process_id(), signal.SIGKILL)

    # In any order; and others may have died of the missing database.
    missing = {*programs.values(), "PostgreSQL"}
    while missing:
        missing.discard(line_with(up, "again").split()[0])
    assert eventually(lambda: all(ups.processes(words) for words in programs))


def test_ctrl_c_leaves_no_process_and_no_secret_behind(ups: Ups) -> None:
    up = ups.start(LETTRLABS_API_KEY=SECRET, LETTRLABS_BASE_URL="http://127.0.0.1:9/api")
    line_with(up, "SANDBOX at http://127.0.0.1:9/api")
    line_with(up, "Everything runs")

    assert ups.processes("sandbox --port") == []  # a vendor was named
    assert not [pid for pid in ups.processes() if SECRET in _command_line(Path(f"/proc/{pid}"))]
    assert end(up, signal.SIGINT) == 0

    assert ups.processes() == []
    assert running_base_url(ups.data_dir) is None
    assert not (ups.data_dir / "postgres" / "run").exists()
    assert SECRET not in "".join(log.read_text() for log in (ups.data_dir / "logs").iterdir())


def test_a_killed_up_leaves_only_its_servers_and_the_next_goes_on_with_them(ups: Ups) -> None:
    up = ups.start()
    line_with(up, "Everything runs")
    server = Postgres(ups.data_dir / "postgres").process_id()

    up.kill()

    assert eventually(lambda: not ups.processes("celery") and not ups.processes("sandbox --port"))
    up = ups.start()
    line_with(up, "Everything runs")
    assert Postgres(ups.data_dir / "postgres").process_id() == server
    assert end(up, signal.SIGTERM) == 0
    assert ups.processes() == []


def test_a_database_that_is_away_is_one_line_without_its_password(ups: Ups) -> None:
    up = ups.start(DATABASE_URL=f"postgresql://mailrun:{SECRET}@127.0.0.1:9/mailrun")
    said, _ = up.communicate(timeout=PATIENCE)

    assert up.returncode == 1
    assert said.startswith("PostgreSQL cannot be used: ")
    assert said.count("\n") == 1
    assert SECRET not in said
    assert ups.processes() == []


def test_a_live_account_is_announced_as_one() -> None:
    line = vendor_line(Settings(api_key=SECRET, base_url=LIVE_URL))

    assert line.startswith("LIVE LettrLabs at https://app.lettrlabs.com/api: ")
