"""Become an embedded server: in a session of its own and, when started by root, without root's powers.

Run as a file, in a process of its own, because what it changes (session, user, capabilities) must not touch
the starter, and changing it between fork and exec is not safe in a program with threads.
"""

import argparse
import ctypes
import os
import sys
from typing import Final

# linux/prctl.h and linux/capability.h
PR_SET_KEEPCAPS: Final = 8
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
CAP_DAC_OVERRIDE: Final = 1
CAPABILITY_VERSION_3: Final = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32 * 1),
        ("permitted", ctypes.c_uint32 * 1),
        ("inheritable", ctypes.c_uint32 * 1),
        ("unused", ctypes.c_uint32 * 3),
    )


def main() -> None:
    """Become the program named on the command line; a failure is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--own-session", action="store_true")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--keep-reach", action="store_true")
    parser.add_argument("program", nargs="+")
    asked = parser.parse_args()
    if asked.own_session:
        os.setsid()  # Ctrl-C in the starter's terminal must not stop a database that others use too
    try:
        if asked.uid is not None:
            _become(asked.uid, asked.gid, keep_reach=asked.keep_reach)
        os.execv(asked.program[0], asked.program)  # noqa: S606 (the console names the program; no shell)
    except OSError as error:
        sys.exit(f"cannot start {asked.program[0]}: {error}")


def _become(uid: int, gid: int, *, keep_reach: bool) -> None:
    """Give up root for `uid`, keeping at most the one power of passing through directories it cannot enter."""
    if keep_reach:
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if keep_reach:
        only = (ctypes.c_uint32 * 1)(1 << CAP_DAC_OVERRIDE)
        _check(
            _libc().capset(
                ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), ctypes.byref(_Sets(only, only, only))
            )
        )
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


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
