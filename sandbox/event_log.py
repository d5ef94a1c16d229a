"""The facts on disk: one line for each call, written before its answer leaves.

A line reaches the operating system before the answer is sent and so survives SIGKILL; it is not forced to
the disk, and a machine that loses power may lose the last seconds.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from sandbox.events import Fact

_KINDS = {kind.__name__: kind for kind in get_args(Fact)}


class StateUnusableError(Exception):
    """The state directory cannot be used: it is taken, not writable, or its journal is not one."""


class Journal:
    """The journal of one state directory, which it holds alone until the process ends."""

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateUnusableError(f"another sandbox is using {directory}") from None
        except OSError as error:
            raise StateUnusableError(f"cannot use {directory}: {error.strerror}") from None
        self._path = directory / "journal.jsonl"
        self._file: int | None = None

    def read(self) -> Iterator[Fact]:
        """Yield what is remembered, oldest first; a last line that was cut off never happened.

        Raises `StateUnusableError` if a line cannot be read.
        """
        if not self._path.exists():
            return
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.endswith(b"\n"):
                    yield from self._facts(number, line)

    def restart(self, batches: Iterable[Iterable[Fact]]) -> None:
        """Replace the journal by these facts, a line for each batch, and go on writing after them."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.writelines(_line(batch) for batch in batches)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o600)
        fresh.replace(self._path)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)

    def append(self, facts: Iterable[Fact]) -> None:
        """Write the facts of one call, all or none of them."""
        if self._file is None:
            raise RuntimeError("a journal is restarted before it is written to")
        line = _line(facts)
        while line:
            line = line[os.write(self._file, line) :]

    def _facts(self, number: int, line: bytes) -> Iterator[Fact]:
        try:
            for kind, fields in json.loads(line):
                yield _KINDS[kind](**fields)
        except (ValueError, KeyError, TypeError):
            raise StateUnusableError(f"line {number} of {self._path} is not a line of a journal") from None


def _line(facts: Iterable[Fact]) -> bytes:
    entries = [(type(fact).__name__, vars(fact)) for fact in facts]
    return _encode(entries).encode() + b"\n"


_encode = json.JSONEncoder(separators=(",", ":")).encode
