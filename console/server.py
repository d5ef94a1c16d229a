"""One embedded server: started once per directory, found again by anybody, stopped by its process id.

What tells whether it runs is a file lock that the server's own processes hold, never a process id: a lock
dies with the last process that holds it, and an id may already belong to somebody else.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import stat
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Final

# macOS allows 103 bytes for the path of a Unix socket, Linux 107.
LONGEST_SOCKET_PATH: Final = 103
# Room for `.s.PGSQL.5432`, the longest socket name in use.
SOCKET_NAME_LENGTH: Final = 14
# After a power cut PostgreSQL replays its log first, and Valkey reads all of its own.
START_SECONDS: Final = 60.0
# Writing back what is in memory, on a slow disk.
STOP_SECONDS: Final = 30.0
# Short beside a start of 200 ms, long beside a look at a lock.
LOOK_SECONDS: Final = 0.01

DAEMON: Final = (sys.executable, "-I", "-S", str(Path(__file__).with_name("daemon.py")))


class ServerError(Exception):
    """An embedded server cannot run here; one line says why and, where there is one, the way out."""


class Server(ABC):
    """A server program with a directory of its own; subclasses say which program and when it answers."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, directory: Path) -> None:
        """Describe the server that lives in `directory`, an absolute path; nothing is started yet."""
        self.directory = directory
        self.run_dir = _socket_directory(directory)
        self._child: int | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make what the program needs before its first start; called with the directory to itself."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the program and its arguments, beginning with an absolute path."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server takes commands now."""

    @abstractmethod
    def process_id(self) -> int:
        """Return the main process's id; meaningful only while the server runs."""

    def launch_options(self) -> list[str]:
        """Return what `daemon.py` must change before it becomes the program."""
        return []

    def owners(self) -> set[int]:
        """Return the user ids that the socket directory may belong to."""
        return {os.geteuid()}

    @property
    def log(self) -> Path:
        """Where the server writes what it has to say."""
        return self.directory / "log"

    def is_running(self) -> bool:
        """Whether any process of this server is alive, answering or not."""
        try:
            with self._sole_holder():
                return False
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True

    def ensure_running(self) -> None:
        """Start the server, or find the one that runs; returns when it answers.

        The caller must be the only one starting or stopping it. Raises ServerError.
        """
        try:
            with self._sole_holder() as lock:
                self._start(lock)
        except BlockingIOError:
            pass  # it runs: left by another command, or by a starter that was killed
        except OSError as error:
            raise ServerError(
                f"{self.name} cannot use {self.directory}: {error.strerror or error}"
            ) from error
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop the server and return when its last process is gone; harmless when none runs."""
        for kind, patience in ((self.stop_signal, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            if not self.is_running():
                break
            with suppress(ProcessLookupError, FileNotFoundError):
                os.kill(self.process_id(), kind)
            self._wait_until_gone(patience)
        self._bury()
        if self.run_dir.exists():
            shutil.rmtree(self.run_dir)

    def _start(self, lock: int) -> None:
        if self.answers():
            raise ServerError(f"a {self.name} that Mailrun did not start is using {self.directory}")
        _empty_private_directory(self.run_dir, self.owners())
        self.prepare()
        with self.log.open("wb") as log:
            os.set_inheritable(lock, True)  # noqa: FBT003 (the standard library's only spelling)
            self._child = os.posix_spawn(
                sys.executable,
                [*DAEMON, "--own-session", *self.launch_options(), "--", *self.command()],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
                ],
            )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if not self.is_running():
                raise ServerError(f"{self.name} did not start: {self._last_words()}")
            if time.monotonic() > deadline:
                raise ServerError(f"{self.name} does not answer after {START_SECONDS:.0f} s; see {self.log}")
            time.sleep(LOOK_SECONDS)

    def _wait_until_gone(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def _bury(self) -> None:
        """Take the dead process off the system's list, if it was ours; another starter's is not our business."""
        if self._child is not None:
            with suppress(ChildProcessError):
                os.waitpid(self._child, 0)
            self._child = None

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else f"it said nothing; see {self.log}"

    @contextmanager
    def _sole_holder(self) -> Iterator[int]:
        """Hold the lock that a running server's processes share; raises BlockingIOError if one runs.

        A process started with the yielded descriptor goes on holding it, because a flock belongs to the
        opened file and not to the process: here it is only closed, never unlocked.
        """
        lock = os.open(self.directory / "running.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock
        finally:
            os.close(lock)


def _socket_directory(directory: Path) -> Path:
    """Return where the sockets go: inside `directory`, unless its path is too long or odd for one.

    Addresses are written as URLs and, by PostgreSQL, in a comma-separated list; a plain path needs no quoting.
    """
    inside = directory / "run"
    fits = len(os.fsencode(inside)) + SOCKET_NAME_LENGTH <= LONGEST_SOCKET_PATH
    if fits and re.fullmatch(r"[A-Za-z0-9._/-]+", str(inside)):
        return inside
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    # Not TMPDIR: two terminals may set it differently and must still find the same server.
    return Path("/tmp") / f"mailrun-{os.geteuid()}-{digest}"  # noqa: S108 (ownership is checked before use)


def _empty_private_directory(path: Path, owners: set[int]) -> None:
    """Make `path` an empty directory that only the server and its user can enter.

    It may lie in a directory that everybody can write to, where another user could have made it first.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise ServerError(f"{path} belongs to somebody else: remove it, or choose a shorter MAILRUN_DATA_DIR")
    path.chmod(0o700)
    for left_behind in path.iterdir():
        left_behind.unlink()
