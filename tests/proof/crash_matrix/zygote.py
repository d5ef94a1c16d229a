"""Forks real Celery workers that die by SIGKILL at a chosen boundary. Run as a program by the crash tests.

A boundary is a side of a commit or of a vendor call, of whatever thread works on a mailing. They are found where
they happen (the database driver's commit, the client's transport), not marked by hand: none can be forgotten.
Each line on standard input orders a worker; the answer is its process id. Forking from a process that has
everything imported saves a second of start for each of the thousands of workers.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

# Imported for the fork: nothing here opens a connection or starts a thread.
import sqlalchemy.dialects.postgresql.psycopg as dialect

import worker.celery
import worker.engine.dispatcher
import worker.engine.pipeline
import worker.engine.run_budget
import worker.installation.epoch
import worker.periodic.orphan_sweep
import worker.stages.quote_request
import worker.stages.recipient_pages
from lettrlabs.transport import Transport

# What a starting worker would import one by one is half of its start.
for late in (
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.thread",
    "celery.worker.components",
    "celery.worker.consumer",
    "kombu.transport.redis",
    "intake.events.processor",
    "intake.events.batches",
    "worker.periodic.retention",
    "worker.periodic.delivery_tracking",
    "worker.periodic.webhook_delivery",
):
    import_module(late)


class Boundaries:
    """Counts the boundaries that the threads working on a mailing pass, and dies at the one ordered."""

    def __init__(self, path: Path, die_at: int | None) -> None:
        self.path, self.die_at = path, die_at
        self.passed = 0
        self.lock = threading.Lock()
        self.here = threading.local()

    def at_work(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.here.counts = True
            try:
                return function(*args, **kwargs)
            finally:
                self.here.counts = False

        return counted

    def both_sides(self, function: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        def bounded(*args: Any, **kwargs: Any) -> Any:
            self.passes(f"before {name(*args)}")
            result = function(*args, **kwargs)
            self.passes(f"after {name(*args)}")
            return result

        return bounded

    def passes(self, name: str) -> None:
        if not getattr(self.here, "counts", False):
            return
        with self.lock:
            with self.path.open("a") as log:
                log.write(name + "\n")
            if self.passed == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            self.passed += 1


def _call_name(_: object, method: str, target: str, *__: object) -> str:
    path = target.partition("?")[0]
    return f"{method} " + "/".join("#" if part.isdigit() else part for part in path.split("/"))


def become_worker(order: dict[str, Any]) -> None:
    output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["env"])
    boundaries = Boundaries(Path(order["boundaries"]), order["die_at"])
    psycopg = dialect.PGDialect_psycopg
    psycopg.do_commit = boundaries.both_sides(psycopg.do_commit, lambda *_: "commit")
    Transport.exchange = boundaries.both_sides(Transport.exchange, _call_name)
    worker.engine.pipeline.process = boundaries.at_work(worker.engine.pipeline.process)
    worker.engine.pipeline.settle = boundaries.at_work(worker.engine.pipeline.settle)
    # Three people are two pages, so that the boundary between pages is among those found.
    worker.stages.recipient_pages.MAX_RECIPIENTS = order["page"]
    # What a busy machine makes slow must not change the course of the calls.
    worker.engine.run_budget.SLOW_SECONDS = worker.stages.quote_request.SLOW_SECONDS = float("inf")
    from worker.tasks import app  # noqa: PLC0415 - reads its settings from the environment just made

    app.worker_main(["worker", "--loglevel", "INFO", "--concurrency", "1", "--without-heartbeat"])


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        # On both sides, so that the group is there whichever of them goes on first: it is what the test ends.
        os.setpgid(child, child)
        if child == 0:
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                become_worker(order)
            finally:
                os._exit(1)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
