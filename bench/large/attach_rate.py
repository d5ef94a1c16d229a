"""Handing a campaign over as Mailrun runs, in pages a second: two workers, beside a bare loop of the same PUTs.

The loop is what one would write instead: the pages one after the other, each once, nothing written down and nothing
read back. By turns, at several latencies of the vendor.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, TextIO

from bench import ROOT
from bench.environment import Sandbox
from bench.large import attach_page, stage_driver
from bench.speed.measure import slow_down
from models import Stage
from worker.context import WorkerContext, open_context
from worker.settings import Settings

WORKERS: Final = 2
LATENCIES: Final = (0.0, 0.05, 0.2)


@dataclass(frozen=True, slots=True)
class Turn:
    """Pages a second, of both."""

    loop: float
    mailrun: float


def measure(
    settings: Settings, env: Mapping[str, str], sandbox: Sandbox, rounds: int, pages: int
) -> dict[float, list[Turn]]:
    """Hand over this many pages both ways, so many rounds at each latency; a first round only warms both up."""
    context = open_context(settings)
    turns: dict[float, list[Turn]] = {latency: [] for latency in LATENCIES}
    with ExitStack() as stack:
        stack.callback(context.close)
        crew = [stack.enter_context(_worker(env)) for _ in range(WORKERS)]
        _turn(context, crew, sandbox, 0.0, pages)
        for _ in range(rounds):
            for latency in LATENCIES:
                turns[latency].append(_turn(context, crew, sandbox, latency, pages))
        slow_down(sandbox, 0.0)
    return turns


class _Worker:
    """A process with a worker's hands."""

    def __init__(self, told: TextIO, says: TextIO) -> None:
        self._told = told
        self._says = says

    def begin(self, stage: Stage, mailing_ids: Sequence[int]) -> None:
        """Have it do a stage of these mailings."""
        self._told.write(json.dumps([stage.value, mailing_ids]) + "\n")
        self._told.flush()

    def wait(self) -> None:
        """Return when it has; raises RuntimeError if it ended instead."""
        if self._says.readline().strip() != stage_driver.DONE:
            raise RuntimeError("a worker's hands gave up")


@contextmanager
def _worker(env: Mapping[str, str]) -> Iterator[_Worker]:
    command = (sys.executable, "-m", "bench.large.stage_driver")
    told = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=told, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without pipes")
        yield _Worker(process.stdin, process.stdout)


def _turn(
    context: WorkerContext, crew: Sequence[_Worker], sandbox: Sandbox, latency: float, pages: int
) -> Turn:
    slow_down(sandbox, 0.0)
    mailing_ids = attach_page.mailings(context.engine, pages)
    with attach_page.bare(context.settings) as client:
        bodies = [attach_page.page(context, one) for one in mailing_ids]
        orders = [attach_page.create(client) for _ in bodies]
        _have_done(crew, Stage.CREATE, mailing_ids)
        slow_down(sandbox, latency)
        began = time.perf_counter()
        for order_id, body in zip(orders, bodies, strict=True):
            attach_page.put(client, order_id, body)
        put = time.perf_counter()
    _have_done(crew, Stage.ATTACH, mailing_ids)
    attached = time.perf_counter()
    for one in mailing_ids:
        attach_page.require_attached(context, one)
    return Turn(pages / (put - began), pages / (attached - put))


def _have_done(crew: Sequence[_Worker], stage: Stage, mailing_ids: Sequence[int]) -> None:
    for n, worker in enumerate(crew):
        worker.begin(stage, mailing_ids[n :: len(crew)])
    for worker in crew:
        worker.wait()
