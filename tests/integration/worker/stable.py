"""Forks workers and beats from a process that has everything imported. Run as a program by the delivery tests.

Each line on standard input orders one; the answer is its process id. ``poison`` is the id of a mailing whose proof
kills whoever works on it, as a bug in a library's C code would.
"""

import json
import os
import signal
import sys
import traceback
from typing import Any

from worker.job import StageJob

# Imported for the fork: nothing here opens a connection or starts a thread.
from worker.results import Result
from worker.stages import proof


def poison(mailing_id: int) -> None:
    healthy = proof.run

    def deadly(job: StageJob) -> Result:
        if job.mailing.id == mailing_id:
            os.kill(os.getpid(), signal.SIGKILL)
        return healthy(job)

    proof.run = proof.recover = deadly


def become(order: dict[str, Any]) -> None:
    os.setsid()
    output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["env"])
    if order.get("poison"):
        poison(order["poison"])
    from worker.tasks import app  # noqa: PLC0415 - reads its settings from the environment just made

    app.start([order["kind"], "--loglevel", "INFO", *order["options"]])


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                become(json.loads(line))
            except BaseException:  # noqa: BLE001 - the child's last words, for its log
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(1)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
