"""Become an embedded server: in a session of its own and, when root starts it, without any power of root.

Run as a file, in a process of its own, because what it changes (session, directory, user) must not touch
the starter, and changing it between fork and exec is not safe in a program with threads.
"""

import argparse
import ctypes
import os
import sys
from pathlib import Path
from typing import Final

# linux/prctl.h and linux/capability.h
PR_CAPBSET_DROP: Final = 24
PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
CAPABILITY_VERSION_3: Final = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    """Effective, permitted and inheritable capabilities, twice 32 of each."""

    _fields_ = (("sets", ctypes.c_uint32 * 6),)


def main() -> None:
    """Become the program named on the command line; a failure is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--own-session", action="store_true")
    parser.add_argument("--directory")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("program", nargs="+")
    asked = parser.parse_args()
    if asked.own_session:
        os.setsid()  # Ctrl-C in the starter's terminal must not stop a database that others use too
    try:
        if asked.directory is not None:
            # Still as root: the server's own user may not pass through the directories above.
            os.chdir(asked.directory)
        if asked.uid is not None:
            _become(asked.uid, asked.gid)
        os.execv(asked.program[0], asked.program)  # noqa: S606 (the console names the program; no shell)
    except OSError as error:
        sys.exit(f"cannot start {asked.program[0]}: {error}")


def _become(uid: int, gid: int) -> None:
    """Give up root and every capability for `uid`, for good: no program it executes can get one back."""
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    _empty_bounding_set()
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    _check(_libc().capset(ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), ctypes.byref(_Sets())))
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def _empty_bounding_set() -> None:
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        try:
            _prctl(PR_CAPBSET_DROP, capability)
        except PermissionError:
            # Without CAP_SETPCAP the bounding set stays; `no_new_privs` keeps it without effect.
            return


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    _check(_libc().prctl(option, *padded))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    main()
