"""The OS user that an embedded server runs as when root starts it.

PostgreSQL refuses to run as root, and a server that kept a power of root would hand it to every statement.
"""

import grp
import hashlib
import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from console.local.errors import ServerError

# systemd gives ids of this range to services that have no user of their own; no distribution assigns them.
FIRST_ID: Final = 61184
LAST_ID: Final = 65519
# linux/capability.h. Give files away, enter and clean up directories of another user, end its processes, become it.
POWERS: Final = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_FOWNER": 3,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
}


@dataclass(frozen=True)
class Account:
    """A user id and a group id."""

    uid: int
    gid: int

    @property
    def launch_options(self) -> list[str]:
        """The options that make `drop_privileges.py` run as this user."""
        return ["--uid", str(self.uid), "--gid", str(self.gid)]

    def own(self, path: Path) -> None:
        """Give this user a file or a directory, without what is in it."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def own_tree(self, directory: Path) -> None:
        """Give this user a directory and all that is in it, the directory last; follow no symbolic link."""
        directory = directory.resolve()
        if directory.stat().st_uid == self.uid:
            return
        for _, folders, files, place in os.fwalk(directory, follow_symlinks=False):
            for name in (*folders, *files):
                os.chown(name, self.uid, self.gid, dir_fd=place, follow_symlinks=False)
        self.own(directory)

    def runs(self, pid: int) -> bool:
        """Whether a process is this user's."""
        try:
            return Path(f"/proc/{pid}").stat().st_uid == self.uid
        except FileNotFoundError:
            return False


def server_account(directory: Path) -> Account | None:
    """Return the account for the server in `directory`, or None for one that runs as its starter."""
    if os.geteuid() != 0:
        return None
    digest = hashlib.sha256(os.fsencode(os.path.realpath(directory))).digest()
    count = LAST_ID - FIRST_ID + 1
    start = int.from_bytes(digest[:8]) % count
    ids = (FIRST_ID + (start + step) % count for step in range(count))
    number = next(one for one in ids if not _exists(one))
    return Account(number, number)


def named_account() -> Account:
    """Return an account that the system has a name for: initdb asks for one. Raise ServerError if there is none."""
    users = sorted(pwd.getpwall(), key=lambda user: user.pw_name != "nobody")
    for user in users:
        if user.pw_uid != 0:
            return Account(user.pw_uid, user.pw_gid)
    raise ServerError(f"as root PostgreSQL needs a user such as nobody in /etc/passwd; {_WAY_OUT}")


def require_powers(account: Account) -> None:
    """Raise ServerError with the way out where root cannot start a server as another user."""
    if sys.platform != "linux":
        raise ServerError(f"as root embedded servers start on Linux only; {_WAY_OUT}")
    status = Path("/proc/self/status").read_text()
    held = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)
    missing = [name for name, bit in POWERS.items() if not held >> bit & 1]
    if missing:
        raise ServerError(f"root lacks {', '.join(missing)} here, which an embedded server needs; {_WAY_OUT}")
    if not _is_mapped(account.uid, "uid_map") or not _is_mapped(account.gid, "gid_map"):
        raise ServerError(f"this container maps no user id {account.uid} for an embedded server; {_WAY_OUT}")


_WAY_OUT: Final = "run Mailrun as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own"


def _exists(number: int) -> bool:
    for look_up in (pwd.getpwuid, grp.getgrgid):
        try:
            look_up(number)
        except KeyError:
            continue
        return True
    return False


def _is_mapped(number: int, table: str) -> bool:
    """Whether this user namespace has the id."""
    ranges = [list(map(int, line.split())) for line in Path("/proc/self", table).read_text().splitlines()]
    return any(first <= number < first + length for first, _, length in ranges)
