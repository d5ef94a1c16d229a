"""What worker and beat write while Redis is unwell: lines that tell what to do, and no traceback."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from redis import Redis

from console.local.services import in_use
from console.local.valkey import Valkey

if TYPE_CHECKING:
    from tests.conftest import Program, StartWorker

PATIENCE: Final = 90.0
ALLOWED: Final = "+@all"


@pytest.fixture
def server() -> Iterator[Valkey]:
    """Yield a broker of this test's own, to make unwell."""
    with tempfile.TemporaryDirectory(prefix="mailrun-unwell-") as directory:
        broker = Valkey(Path(directory) / "valkey")
        with in_use(broker):
            yield broker


def _configure(*command: str | int) -> Callable[[Valkey], None]:
    def run(server: Valkey) -> None:
        with Redis(unix_socket_path=str(server.socket)) as client:
            client.execute_command(*command)

    return run


UNWELL: Final = {
    "full": (_configure("CONFIG", "SET", "maxmemory", 1), _configure("CONFIG", "SET", "maxmemory", 0)),
    "let this user write": (
        _configure("ACL", "SETUSER", "default", "-@write", "-@scripting"),
        _configure("ACL", "SETUSER", "default", ALLOWED),
    ),
    "replica or read-only": (_configure("REPLICAOF", "127.0.0.1", 9), _configure("REPLICAOF", "NO", "ONE")),
    "is away": (Valkey.stop, Valkey.ensure_running),
}


def test_an_unwell_redis_is_one_line_each_time_and_no_traceback(
    server: Valkey, worker_process: "StartWorker"
) -> None:
    broker = {"REDIS_URL": server.url}
    programs = [worker_process(broker), worker_process(broker, beat=True)]

    banners = [len(program.said()) for program in programs]

    for words, (spoil, mend) in UNWELL.items():
        spoil(server)
        _wait_for_trouble(programs, words)
        mend(server)

    written = "".join(one.said()[start:] for one, start in zip(programs, banners, strict=True))
    assert not [line for line in written.splitlines() if not line[:1].isdigit()]
    assert [program.process.poll() for program in programs] == [None, None]


def _wait_for_trouble(programs: "list[Program]", words: str) -> None:
    """Wait until a program has written the line; fail with all that both have written otherwise."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if any(
            "redis_trouble" in line and words in line for one in programs for line in one.said().splitlines()
        ):
            return
        time.sleep(0.05)
    pytest.fail(f"no line says {words!r}:\n" + "\n".join(program.said() for program in programs))
