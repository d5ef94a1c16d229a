"""Become a program that is asked to end when its starter is gone, however the starter went.

Run as a file in a process of its own, like `drop_privileges.py` and for the same reason. The starter holds the other
end of standard input: when it dies, even by SIGKILL, the system closes that end, on every kind of Unix.
"""

import os
import signal
import sys


def main() -> None:
    """Run `parent_watch.py PROGRAM ARGUMENT…`, watched over by a small process in the same group."""
    command = sys.argv[1:]
    if os.fork() == 0:
        _watch_over(os.getppid())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.execv(command[0], command)  # noqa: S606 (the console names the program; no shell)


def _watch_over(program: int) -> None:
    """Wait for the starter's end, and pass it on as SIGTERM: a worker can still record its last answer."""
    for output in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(sys.stdin.fileno(), output)  # whoever reads the program's output sees it end with the program
    os.read(sys.stdin.fileno(), 1)
    if os.getppid() == program:
        os.kill(program, signal.SIGTERM)
    os._exit(0)


if __name__ == "__main__":
    main()
