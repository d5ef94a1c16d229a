"""A program that `up` runs: what it is, one run of it, and what it says."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Final

LEASH: Final = (sys.executable, "-I", "-S", str(Path(__file__).with_name("parent_watch.py")))
# Two files of this size for each program hold days of an ordinary log.
LOG_BYTES: Final = 5_000_000
# As a level stands in a line of a log; a program that only names its level in passing is not in trouble.
WORTH_SHOWING: Final = re.compile(r"(?:^|\s)(?:WARNING|ERROR|CRITICAL)[\s:]")
# What a Python program needs to start and to write in the right language; no key, password or secret.
INHERITED: Final = frozenset({"PATH", "LD_LIBRARY_PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV"})

Say = Callable[[str], None]


@dataclass(frozen=True)
class ProcessSpec:
    """A program to keep running."""

    name: str
    command: tuple[str, ...]
    # Beyond what it inherits; it holds the key, which a command line would show to every user.
    environment: Mapping[str, str] = field(repr=False)
    directory: Path
    # Between the request to end and the end by force.
    stop_seconds: float
    # Words in the line by which it says that it can be used.
    ready_words: str | None = None
    # Whether it inherits all variables of this process, or only those that every program needs.
    is_trusted: bool = True


class Output:
    """Where a program's lines go: all into a log of bounded size, warnings and errors before a person too."""

    def __init__(self, program: ProcessSpec, logs: Path, say: Say, secrets: tuple[str, ...]) -> None:
        """Write to `logs`; none of `secrets` gets there, or to `say`."""
        self.ready = threading.Event()
        self.last_line = ""
        self._program = program
        self._say = say
        self._secrets = secrets
        path = logs / f"{program.name}.log"
        self._log = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")

    def follow(self, stream: IO[bytes]) -> None:
        """Take lines until the program and its children have closed their end."""
        for raw in stream:
            self._take(raw.decode(errors="replace").rstrip())

    def close(self) -> None:
        """Close the log; the next line would open it again."""
        self._log.close()

    def _take(self, line: str) -> None:
        for secret in self._secrets:
            line = line.replace(secret, "***")
        self._log.emit(logging.makeLogRecord({"msg": line}))
        self.last_line = line or self.last_line
        if self._program.ready_words and self._program.ready_words in line:
            self.ready.set()
        if WORTH_SHOWING.search(line):
            self._say(f"{self._program.name} | {line}")


class ProcessRun:
    """One run of a program, in a session of its own: a Ctrl-C in the terminal is for `up` alone to pass on."""

    def __init__(self, program: ProcessSpec, output: Output) -> None:
        """Start it, on a leash: it is asked to end when we die."""
        self._output = output
        self._process = subprocess.Popen(  # noqa: S603 (our own programs, no shell)
            [*LEASH, *program.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=program.directory,
            env={**_inherited(program), "PYTHONUNBUFFERED": "1", **program.environment},
            start_new_session=True,
        )

    def wait(self) -> int:
        """Return its exit code when it and its children are gone and all they said is written down."""
        with self._process as process:
            reader = threading.Thread(target=self._output.follow, args=[process.stdout])
            reader.start()
            code = process.wait()
            # Children that outlive it, among them the watch that holds the leash.
            self.end_by_force()
            reader.join()
        return code

    def ask_to_end(self) -> None:
        """Send SIGTERM to the program itself: it knows what its children are to do."""
        self._process.terminate()

    def end_by_force(self) -> None:
        """Send SIGKILL to the program and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _inherited(program: ProcessSpec) -> dict[str, str]:
    if program.is_trusted:
        return dict(os.environ)
    return {
        name: value
        for name, value in os.environ.items()
        if name in INHERITED or name.startswith(("LC_", "PYTHON"))
    }
