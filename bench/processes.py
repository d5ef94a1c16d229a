"""Processes that are started again when they end, as a supervisor would, and that a storm may kill or hold up."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bench import ROOT

_RESTART_SECONDS = 1.0
_READY = b"ready."


@dataclass
class Process:
    """One program: how it is started, what it runs as now, and how often it ended unasked."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    keep: bool = True
    ended_by_itself: int = 0
    _running: subprocess.Popen[bytes] | None = None
    _start_at: float = 0.0
    _held: bool = False
    _killed: bool = False
    _said_before: int = 0
    _ready_since: float | None = None

    def start(self) -> Self:
        """Start it now."""
        with self.log.open("ab") as log:
            self._said_before = log.tell()
            self._running = subprocess.Popen(  # noqa: S603 - the bench's own programs
                self.command,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self.env},
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._killed, self._ready_since = False, None
        return self

    def wait_for(self, words: str, seconds: float = 60.0) -> str:
        """Return the line in which it says these words; raises RuntimeError if it ends or stays silent."""
        deadline = time.monotonic() + seconds
        last_look = False
        while time.monotonic() < deadline and not last_look:
            last_look = self.ended
            for line in self.log.read_text(errors="replace").splitlines():
                if words in line:
                    return line
            time.sleep(0.05)
        raise RuntimeError(
            f"{self.name} did not say {words!r}: {self.log.read_text(errors='replace')[-2000:]}"
        )

    @property
    def pid(self) -> int:
        """Its process id; raises RuntimeError if it was never started."""
        if self._running is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._running.pid

    def run_to_its_end(self, seconds: float) -> None:
        """Start it and wait; raises RuntimeError if it fails, subprocess' TimeoutExpired if it takes longer."""
        self.start()
        if self._running is not None and self._running.wait(seconds) != 0:
            raise RuntimeError(f"{self.name} failed: {self.log.read_text(errors='replace')[-2000:]}")

    @property
    def ended(self) -> bool:
        """Whether it has ended, or was never started."""
        return self._running is None or self._running.poll() is not None

    def tend(self) -> None:
        """Start it again a moment after it ended."""
        if not self.keep or not self.ended:
            return
        if self._start_at == 0.0:
            self.ended_by_itself += not self._killed
            self._start_at = time.monotonic() + _RESTART_SECONDS
        elif time.monotonic() >= self._start_at:
            self._start_at = 0.0
            self.start()

    def at_work_for(self) -> float:
        """Return for how many seconds it has been seen at work since it said that it is ready."""
        if self.ended or self._held:
            return 0.0
        if self._ready_since is None:
            with self.log.open("rb") as log:
                log.seek(self._said_before)
                if _READY not in log.read():
                    return 0.0
            self._ready_since = time.monotonic()
        return time.monotonic() - self._ready_since

    def kill(self) -> bool:
        """End it as a power cut would; False if there was nothing to kill, or it is held up just now."""
        if self.ended or self._held:
            return False
        self._killed = True
        self._signal(signal.SIGKILL)
        return True

    def hold(self) -> bool:
        """Stop it where it is; False if it is not running."""
        if self.ended or self._held:
            return False
        self._held = True
        self._signal(signal.SIGSTOP)
        return True

    def let_go(self) -> None:
        """Let it go on."""
        if self._held:
            self._held = False
            self._signal(signal.SIGCONT)

    def end(self) -> None:
        """End it for good."""
        self.keep = False
        if self._running is not None:
            self._signal(signal.SIGKILL)
            self._running.wait()

    def _signal(self, kind: signal.Signals) -> None:
        if self._running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, kind)


@dataclass
class ProcessGroup:
    """All processes of a run; as a context, ends them on the way out."""

    processes: list[Process] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.end()

    def add(self, process: Process) -> Process:
        """Start a process and keep it in the troop."""
        self.processes.append(process)
        return process.start()

    def tend(self) -> None:
        """Start again whatever has ended."""
        for process in self.processes:
            process.tend()
