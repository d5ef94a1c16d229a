"""One trial: run the tests that concern a mistake against it, for a bounded time.

Each trial is a fork of this process, which has imported what the project needs and nothing of the project: most of a
short test run is imports. PostgreSQL and Redis are shared by all trials; each test has a database of its own.
"""

import importlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutants.catalog import Mutant
from tests.mutants.workspace import Workspace

FOUND, SURVIVED, HUNG, HARMLESS = "found", "SURVIVED", "hung", "harmless"
# The test that noticed the mistake fails on the correct code too.
UNSOUND = "unsound"
# Any other result says nothing of the tests: they were not collected, or a busy machine was too slow for them.
VALID = frozenset({FOUND, SURVIVED})
_RESULTS = {int(pytest.ExitCode.OK): SURVIVED, int(pytest.ExitCode.TESTS_FAILED): FOUND}
_PROJECT = frozenset(
    {"bench", "console", "intake", "lettrlabs", "migrations", "models", "sandbox", "tests", "worker"}
)
_OPTIONS = ("--no-header", "--tb=line", "--assert=plain", "-m", "not chaos", "-p", "no:cacheprovider")
_PRELOADED = (
    "tests.conftest",
    "console.main",
    "worker.engine.pipeline",
    "celery.app.base",
    "kombu.transport.redis",
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", re.MULTILINE)
# Servers and processes of the tests end with their fixtures.
_SECONDS_TO_END = 30.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a mistake; ``words`` name the test that noticed it, or tell what went wrong."""

    mutant: Mutant
    result: str
    words: str
    seconds: float

    @property
    def verdict(self) -> str:
        """The result, or that a mistake that survived is known to have no effect."""
        return HARMLESS if self.mutant.harmless and self.result == SURVIVED else self.result

    def __str__(self) -> str:
        return (
            f"{self.verdict:9} {self.seconds:4.0f} s  {self.mutant.list}: {self.mutant.title} [{self.words}]"
        )


@contextmanager
def prepared(workspace: Workspace, directory: Path) -> Iterator[None]:
    """Import what the project needs, and run the servers for all trials, meanwhile."""
    # The servers end with this process, however it is asked to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.chdir(workspace.root)
    os.environ |= {"TEST_SERVERS": str(directory), "PYTHONPATH": str(workspace.root)}
    _forget_project()
    sys.path.insert(0, str(workspace.root))
    for name in _PRELOADED:
        importlib.import_module(name)
    conftest, embedded = sys.modules["tests.conftest"], sys.modules["console.local.services"]
    with ExitStack() as servers:
        postgres = conftest.postgres_kind(directory / "postgres", durable=False)
        servers.enter_context(embedded.in_use(postgres))
        conftest.migrate_template(postgres)
        servers.enter_context(embedded.in_use(conftest.redis_kind(directory / "valkey")))
        _forget_project()
        yield


def run_tests(workspace: Workspace, files: Sequence[str], timeout: float) -> tuple[str, str]:
    """Run test files up to the first failure; return the result and the test that failed."""
    code, output = _run(workspace, ["-x", *files], timeout)
    if code is None:
        return HUNG, f"no end within {timeout:.0f} s"
    failed = _FAILED.search(output)
    return _RESULTS.get(code, "invalid"), failed[1] if failed else output.strip().splitlines()[-1][:110]


def failures(workspace: Workspace, tests: Sequence[str], timeout: float) -> frozenset[str]:
    """Run tests and return those that failed; all of them if the run did not end as a run of tests does."""
    code, output = _run(workspace, tests, timeout)
    return frozenset(_FAILED.findall(output) if code in _RESULTS else tests)


def _run(workspace: Workspace, arguments: Sequence[str], timeout: float) -> tuple[int | None, str]:
    """Run pytest in a fork; return its exit code, None if it had to be ended, and what it printed."""
    log = workspace.root.parent / "output"
    process = os.fork()
    if not process:
        _run_and_exit([*_OPTIONS, *arguments], log)
    code = _wait(process, timeout)
    if code is None:
        os.kill(process, signal.SIGINT)
        if _wait(process, _SECONDS_TO_END) is None:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    return code, log.read_text(errors="replace")


def _run_and_exit(options: Sequence[str], log: Path) -> None:
    os.setsid()
    # A job in the background of a script has SIGINT ignored; here it ends a trial that hangs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    code = 70
    try:
        code = int(pytest.main([*options]))
        sys.stdout.flush()
    finally:
        os._exit(code)


def _wait(process: int, seconds: float) -> int | None:
    """Return the exit code of a process, None if it has not ended in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    return None


def _forget_project() -> None:
    """Have the project imported anew by whoever needs it next, from the copy."""
    for name in [name for name in sys.modules if name.partition(".")[0] in _PROJECT]:
        del sys.modules[name]
