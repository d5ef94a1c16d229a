import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from console.local.process import Output, ProcessSpec
from console.local.supervisor import Supervisor

SECRET = "LL-API-made-up-for-this-test"  # noqa: S105 (opens nothing)
LASTING = "import time; print('up', flush=True); time.sleep(600)"
PATIENCE = 20.0


@dataclass
class Screen:
    """What a person saw."""

    lines: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def say(self, line: str) -> None:
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()

    def wait_for(self, words: str, times: int = 1) -> list[str]:
        def shown() -> list[str]:
            return [line for line in self.lines if words in line]

        with self.changed:
            assert self.changed.wait_for(lambda: len(shown()) >= times, PATIENCE), self.lines
            return shown()


@dataclass
class Stage:
    """A supervisor, and what is needed to use it."""

    supervisor: Supervisor
    screen: Screen
    hurry: threading.Event
    directory: Path

    def start(self, script: str, *, stop_seconds: float = PATIENCE, **environment: str) -> Output:
        program = ProcessSpec(
            name="program",
            command=(sys.executable, "-c", script),
            environment=environment,
            directory=self.directory,
            stop_seconds=stop_seconds,
            ready_words="up",
        )
        return self.supervisor.start(program)

    def log(self) -> str:
        return (self.directory / "logs" / "program.log").read_text()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    screen, hurry = Screen(), threading.Event()
    with Supervisor(tmp_path / "logs", screen.say, secrets=(SECRET,), in_a_hurry=hurry.is_set) as supervisor:
        yield Stage(supervisor, screen, hurry, tmp_path)


def said_pid(stage: Stage) -> int:
    return int(stage.log().split("pid=")[-1].split()[0])


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_program_that_ends_is_started_again_and_a_person_told(stage: Stage) -> None:
    stage.start("import sys; sys.exit('no such table')")

    told = stage.screen.wait_for("starting it again", times=2)

    assert told[0] == "program ended with exit code 1; starting it again in 0.5 s (it said: no such table)"
    assert "in 1 s" in told[1]


def test_a_program_that_is_killed_is_started_again(stage: Stage) -> None:
    output = stage.start(f"import os; print(f'pid={{os.getpid()}}', flush=True); {LASTING}")
    assert output.ready.wait(PATIENCE)
    killed = said_pid(stage)

    os.kill(killed, 9)

    assert stage.screen.wait_for("program was ended by SIGKILL; starting it again")
    assert eventually(lambda: said_pid(stage) != killed)


def test_stopping_leaves_neither_the_program_nor_its_children(stage: Stage) -> None:
    family = f"""
import os, signal
if not os.fork():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(f"pid={{os.getpid()}}", flush=True)
{LASTING}
"""
    stage.start(family)
    assert eventually(lambda: "pid=" in stage.log())
    child = said_pid(stage)

    stage.supervisor.stop()

    assert eventually(lambda: is_gone(child))


def test_a_program_is_given_time_to_finish(stage: Stage) -> None:
    output = stage.start(
        """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("finished the call", flush=True), sys.exit(0)))
print("up", flush=True)
time.sleep(600)
"""
    )
    assert output.ready.wait(PATIENCE)

    stage.supervisor.stop()

    assert stage.log().splitlines() == ["up", "finished the call"]
    assert stage.screen.lines == []


@pytest.mark.parametrize("hurried", [False, True])
def test_a_program_that_does_not_end_is_ended_by_force(stage: Stage, *, hurried: bool) -> None:
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {LASTING}"
    assert stage.start(deaf, stop_seconds=600 if hurried else 0.1).ready.wait(PATIENCE)
    if hurried:
        stage.hurry.set()

    began = time.monotonic()
    stage.supervisor.stop()

    assert time.monotonic() - began < PATIENCE


def test_no_secret_reaches_the_log_or_the_screen(stage: Stage) -> None:
    stage.start("import os; print('ERROR key', os.environ['KEY'])", KEY=SECRET)

    [shown, *_] = stage.screen.wait_for("ERROR")

    assert shown == "program | ERROR key ***"
    assert SECRET not in stage.log()


def test_only_what_matters_is_shown_and_all_of_it_kept(stage: Stage) -> None:
    stage.start("print('INFO a call'); print('WARNING slow'); import time; time.sleep(600)")

    stage.screen.wait_for("WARNING slow")

    assert stage.screen.lines == ["program | WARNING slow"]
    assert stage.log().splitlines() == ["INFO a call", "WARNING slow"]


def test_a_log_does_not_grow_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.local.process.LOG_BYTES", 1000)
    stage.start(f"print(('x' * 99 + '\\n') * 100); {LASTING}").ready.wait(PATIENCE)

    sizes = [path.stat().st_size for path in (stage.directory / "logs").iterdir()]

    assert len(sizes) == 2
    assert max(sizes) <= 1000


def test_the_key_is_on_no_command_line(stage: Stage) -> None:
    stage.start(f"import os; print(f'pid={{os.getpid()}}', flush=True); {LASTING}", KEY=SECRET).ready.wait(
        PATIENCE
    )

    pid = said_pid(stage)

    assert SECRET.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert SECRET.encode() in Path(f"/proc/{pid}/environ").read_bytes()
