"""`mailrun`: the command line. Every error is one line on stderr and a non-zero exit code.

The commands are imported by `run` only: Ctrl-C during the imports must not print a traceback.
"""
# ruff: noqa: PLC0415

import os
import signal
import sys
from typing import NoReturn

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and exit. A request to end stops what the command started first."""
    # A script's `mailrun ... &` starts with SIGINT ignored. A signal sent to this process on purpose still counts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for kind in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, _end)
    try:
        from console.pipes import survive_closed_pipes

        survive_closed_pipes()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        os.write(2, b"mailrun: interrupted\n")
        code = INTERRUPTED
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0, 1 for a failure, 2 for a wrong command line, 130 for Ctrl-C."""
    from console.app import execute

    return execute(arguments)


def _end(kind: int, _frame: object) -> NoReturn:
    sys.exit(128 + kind)
