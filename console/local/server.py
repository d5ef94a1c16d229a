"""One embedded server: started once per directory, found again by every command, stopped by its process id.

What tells whether it runs is a file lock that the server's own processes hold, never a process id: a lock
dies with the last process that holds it, and the system may have given the id to another program.
"""

import errno
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

from console.local.errors import ServerError
from console.local.os_account import Account, require_powers, server_account
from console.local.programs import Programs, copy_programs, remove_copies

# macOS allows 103 bytes for the path of a Unix socket, Linux 107.
LONGEST_SOCKET_PATH: Final = 103
# Room for `.s.PGSQL.5432`, the longest socket name in use.
SOCKET_NAME_LENGTH: Final = 14
# After a power cut PostgreSQL replays its log first, and Valkey reads all of its own.
START_SECONDS: Final = 60.0
# Writing back what is in memory, on a slow disk.
STOP_SECONDS: Final = 30.0
# PostgreSQL makes its log in pieces of this size.
LEAST_FREE: Final = 16 * 2**20
# Short beside a start of 200 ms, long beside a look at a lock.
LOOK_SECONDS: Final = 0.01
# What ended a server, in PostgreSQL's words and in Valkey's; not what it tells a client that comes too early.
FATAL: Final = re.compile(
    r"\b(?:FATAL|PANIC|error):(?!  the database system is | +role )|Fatal error|Can't |Failed "
)

DAEMON: Final = (sys.executable, "-I", "-S", str(Path(__file__).with_name("drop_privileges.py")))
# Where the programs find their libraries, and which language and time zone they write in. Not Mailrun's own
# variables: the key and the secrets of events are none of a server's business.
ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "TMPDIR")
# The state of the directory that this version starts servers in; older versions wrote no such file.
LAYOUT: Final = "2"


class Server(ABC):
    """A server program with a directory of its own; subclasses say which program and when it answers."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, directory: Path) -> None:
        """Describe the server that lives in `directory`, an absolute path; nothing is started yet."""
        self.directory = directory
        # Only a server that root starts has an account of its own; any other runs as its starter.
        self.account = server_account(directory)
        self.run_dir = _socket_directory(directory, closed=self.account is not None)
        self._child: int | None = None

    @property
    def data(self) -> Path:
        """Where the server keeps its files, and its working directory."""
        return self.directory / "data"

    @property
    def place(self) -> str:
        """The path by which the server itself finds its files.

        An account of its own may not pass through the directories above; the link to its working directory
        does not walk them.
        """
        return "/proc/self/cwd" if self.account else str(self.data)

    @abstractmethod
    def find_programs(self) -> Programs:
        """Return the installed programs; raise ServerError where this kind of machine has none."""

    @abstractmethod
    def prepare(self, programs: Programs) -> None:
        """Make what the program needs before its first start; called with the directory to itself."""

    @abstractmethod
    def options(self) -> list[str]:
        """Return the arguments of the program."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server takes commands now."""

    @abstractmethod
    def process_id(self) -> int:
        """Return the main process's id; meaningful only while the server runs."""

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
            self._require_own_layout()
        except OSError as error:
            reason = str(error.strerror or error)
            advice = self.disk_advice(reason) if error.errno == errno.ENOSPC else ""
            raise ServerError(f"{self.name} cannot use {self.directory}: {reason}{advice}") from error
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop the server and return when its last process is gone; harmless when none runs."""
        for kind, patience in ((self.stop_signal, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            if not self.is_running():
                break
            with suppress(ProcessLookupError, FileNotFoundError):
                self._signal(self.process_id(), kind)
            self._wait_until_gone(patience)
        self._bury()
        if self.run_dir.exists():
            shutil.rmtree(self.run_dir)
        if self.account:
            remove_copies(self._copy_name)

    def _start(self, lock: int) -> None:
        if self.answers():
            raise ServerError(f"a {self.name} that Mailrun did not start is using {self.directory}")
        if self.account:
            require_powers(self.account)
        _empty_private_directory(self.run_dir, self.account)
        programs = self._reachable_programs()
        self.prepare(programs)
        (self.directory / "layout").write_text(LAYOUT)
        with self.log.open("wb") as log:
            os.set_inheritable(lock, True)  # noqa: FBT003 (the standard library's only spelling)
            self._child = os.posix_spawn(
                sys.executable,
                [*self.launcher(self.data), "--own-session", "--", str(programs.command), *self.options()],
                server_environment(),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
                ],
            )

    def launcher(self, directory: Path, account: Account | None = None) -> list[str]:
        """Return the command that becomes a program in `directory`, as an account if root starts it."""
        account = account or self.account
        return [*DAEMON, "--directory", str(directory), *(account.launch_options if account else ())]

    def _reachable_programs(self) -> Programs:
        programs = self.find_programs()
        if self.account is None or programs.are_open_to_all():
            return programs
        return copy_programs(programs, self._copy_name)

    @property
    def _copy_name(self) -> str:
        return f"{_short_name(self.directory)}-programs"

    def _require_own_layout(self) -> None:
        """See to it that the server that runs is one this version started; raise ServerError if it is in use.

        An older version's `mailrun up`, killed, leaves its server behind.
        """
        with suppress(FileNotFoundError):
            if (self.directory / "layout").read_text() == LAYOUT:
                return
        with (self.directory / "users.lock").open("ab") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ServerError(
                    f"an older Mailrun uses the {self.name} in {self.directory}: stop its `mailrun up` first"
                ) from None
        self._stop_older()
        with self._sole_holder() as lock:
            self._start(lock)

    def _stop_older(self) -> None:
        """Stop a server of an older version, which ran under another account and had its sockets elsewhere."""
        with suppress(ProcessLookupError, FileNotFoundError):
            os.kill(self.process_id(), self.stop_signal)
        self._wait_until_gone(STOP_SECONDS)
        shutil.rmtree(self.directory / "run", ignore_errors=True)

    def _signal(self, pid: int, kind: signal.Signals) -> None:
        # The server's account wrote the id: root must not end whatever process a broken server names.
        if self.account is None or self.account.runs(pid):
            os.kill(pid, kind)

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
        words = fatal_line(self.log.read_text(errors="replace")) or f"it said nothing; see {self.log}"
        return f"{words}{self.disk_advice(words)}"

    def disk_advice(self, words: str) -> str:
        """Return what to do about a full disk, or nothing.

        A full disk may have cut `words` short, and a program that failed may have removed its files since.
        """
        is_full = shutil.disk_usage(self.directory).free < LEAST_FREE or os.strerror(errno.ENOSPC) in words
        if not is_full:
            return ""
        return f"; the disk of {self.directory} is full: free some space, then start again"

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


def fatal_line(output: str) -> str:
    """Return the line of a program's output that tells why it ended; the lines after it only say that it ends."""
    lines = output.splitlines()
    fatal = [line for line in lines if FATAL.search(line)]
    return (fatal or lines or [""])[-1]


def server_environment() -> dict[str, str]:
    """Return the variables of this process that an embedded server may see."""
    return {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}


def _socket_directory(directory: Path, *, closed: bool) -> Path:
    """Return where the sockets go: inside `directory`, unless its path is closed, too long or odd for one.

    Addresses are written as URLs and, by PostgreSQL, in a comma-separated list; a plain path needs no quoting.
    """
    inside = directory / "run"
    fits = len(os.fsencode(inside)) + SOCKET_NAME_LENGTH <= LONGEST_SOCKET_PATH
    if fits and not closed and re.fullmatch(r"[A-Za-z0-9._/-]+", str(inside)):
        return inside
    # Not TMPDIR: two terminals may set it differently and must still find the same server.
    return Path("/tmp") / _short_name(directory)  # noqa: S108 (ownership is checked before use)


def _short_name(directory: Path) -> str:
    """Return a name that no other directory of this user has, by whatever links it is reached."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(directory))).hexdigest()[:12]
    return f"mailrun-{os.geteuid()}-{digest}"


def _empty_private_directory(path: Path, account: Account | None) -> None:
    """Make `path` an empty directory that only the server and its starter can enter.

    It may lie in a directory that every user can write to, where another user could have made it first.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    owners = {os.geteuid(), *([account.uid] if account else [])}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise ServerError(f"{path} belongs to another user: remove it, or choose another MAILRUN_DATA_DIR")
    path.chmod(0o700)
    for left_behind in path.iterdir():
        left_behind.unlink()
    if account:
        account.own(path)
