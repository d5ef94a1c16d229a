"""Keeps programs running: starts them again when they end, and in the end stops them all."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from console.local.process import Output, ProcessRun, ProcessSpec, Say

# A service that restarts is back within a second; something broken should not fill the screen.
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
# What ran this long was not broken when it started: the next pause is short again.
SOUND_SECONDS: Final = 60.0
# Enough of its last line to tell why it ended; the rest is in its log.
LAST_WORDS: Final = 200
# How soon a second Ctrl-C is noticed.
LOOK_SECONDS: Final = 0.05


class Supervisor:
    """Runs programs, each watched by a thread of its own; as a context, stops them on the way out."""

    def __init__(
        self, logs: Path, say: Say, *, secrets: tuple[str, ...], in_a_hurry: Callable[[], bool]
    ) -> None:
        """Write what programs say under `logs`, and to `say` what a person should see, never `secrets`.

        Once it is `in_a_hurry` nobody is given time to end well.
        """
        self._logs = logs
        self._say = say
        self._secrets = tuple(secret for secret in secrets if secret)
        self._in_a_hurry = in_a_hurry
        self._keepers: list[_RestartThread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, program: ProcessSpec) -> Output:
        """Start a program and keep it running; returns at once, with what will show when it is ready."""
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = Output(program, self._logs, self._say, self._secrets)
        keeper = _RestartThread(program, output, self._say)
        self._keepers.append(keeper)
        keeper.begin()
        return output

    def stop(self) -> None:
        """Ask all programs to end at once; returns when they and their children are gone."""
        for keeper in self._keepers:
            keeper.ask_to_end()
        for keeper in self._keepers:
            keeper.see_it_end(self._in_a_hurry)
        self._keepers.clear()


class _RestartThread:
    """The thread that runs one program again and again."""

    def __init__(self, program: ProcessSpec, output: Output, say: Say) -> None:
        self._program = program
        self._output = output
        self._say = say
        self._stopping = threading.Event()
        self._turn = threading.Lock()
        self._run: ProcessRun | None = None
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._keep_running, name=program.name)

    def begin(self) -> None:
        self._thread.start()

    def ask_to_end(self) -> None:
        with self._turn:
            self._stopping.set()
            self._deadline = time.monotonic() + self._program.stop_seconds
            if self._run:
                self._run.ask_to_end()

    def see_it_end(self, in_a_hurry: Callable[[], bool]) -> None:
        while self._thread.is_alive():
            if self._run and (in_a_hurry() or time.monotonic() > self._deadline):
                self._run.end_by_force()
            self._thread.join(LOOK_SECONDS)
        self._output.close()

    def _keep_running(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while run := self._next_run():
            began = time.monotonic()
            code = run.wait()
            if self._stopping.is_set():
                break
            if time.monotonic() - began > SOUND_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            again = f"{self._program.name} {_ending(code)}; starting it again in {pause:g} s"
            words = self._output.last_line[:LAST_WORDS]
            self._say(f"{again} (it said: {words})" if words else again)
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _next_run(self) -> ProcessRun | None:
        """Start a run unless it is time to stop; the lock keeps the two from passing each other."""
        with self._turn:
            self._run = None if self._stopping.is_set() else ProcessRun(self._program, self._output)
            return self._run


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
