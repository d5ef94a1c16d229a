"""Run steadily and judge: ``python -m bench.soak [--minutes N] [--rate MAILINGS_A_SECOND] [--every SECONDS]``.

One-recipient mailings at 0.7 of the rate that is measured first, or at a given one; two workers, a beat, the sandbox,
PostgreSQL and Redis of its own. Prints a line a minute, then each figure's trend, and exits 1 if one of them grows.
"""

import argparse
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import create_engine

from bench import run_metadata, workload
from bench.chaos.feeder import submit
from bench.soak import reading
from bench.soak.verdict import trend
from bench.speed.contenders import Mailrun
from bench.speed.measure import Ground, measure, opened
from bench.workload import SampleMailing
from models import Priority
from worker.context import MESSAGE_THREADS

SHARE: Final = 0.7
MEASURED: Final = 600
_MINUTE: Final = 60.0
Readings = list[tuple[float, dict[str, float]]]


def main() -> int:
    """Measure the rate, feed, look, judge."""
    asked = _asked()
    run_metadata.tell(f"python -m bench.soak {' '.join(sys.argv[1:])}".strip())
    with opened() as (ground, troop):
        on = (ground.servers, ground.sandbox, ground.directory)
        contender = Mailrun("soak", *on, concurrency=asked.threads, workers=2)
        contender.enlist(troop)
        contender.rest()
        rate = asked.rate or SHARE * _measured_rate(ground, contender)
        print(f"feeding {rate:.1f} mailings a second for {asked.minutes:g} minutes", flush=True)
        readings = _soak(ground, contender, rate, asked)
    return _judge(readings)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, help="mailings a second; without it, 0.7 of what is measured")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two readings")
    parser.add_argument("--threads", type=int, default=MESSAGE_THREADS, help="of each of the two workers")
    return parser.parse_args()


def _measured_rate(ground: Ground, contender: Mailrun) -> float:
    """Return mailings a second: the second time, for the first warms everything up."""
    rates = [
        measure(ground, contender, workload.make(MEASURED, turn, most_people=1, first=turn * MEASURED)).rate
        for turn in (0, 1)
    ]
    return rates[-1]


def _soak(ground: Ground, contender: Mailrun, rate: float, asked: argparse.Namespace) -> Readings:
    roles = ("worker 1", "worker 2", "beat")
    pids = {role: process.pid for role, process in zip(roles, contender.processes, strict=True)}
    pids |= {"sandbox": ground.sandbox_pid, "Redis": ground.servers.valkey.process_id()}
    stop = threading.Event()
    feeder = threading.Thread(
        target=_feed, args=(ground.servers.postgres.owner_url(contender.key), rate, stop)
    )
    contender.begin()
    feeder.start()
    try:
        with ground.servers.postgres.connect(contender.key) as connection, ground.servers.redis() as broker:
            return list(
                _looks(lambda: reading.read(connection, broker, pids), asked.minutes * _MINUTE, asked.every)
            )
    finally:
        stop.set()
        feeder.join()


def _feed(url: str, rate: float, stop: threading.Event) -> None:
    engine = create_engine(url)
    for letter in workload.paced(_endless(), rate):
        if stop.is_set():
            break
        submit(engine, letter, Priority.CAMPAIGN)
    engine.dispose()


def _endless() -> Iterator[SampleMailing]:
    for turn in itertools.count(2):
        yield from workload.make(MEASURED, turn, most_people=1, first=turn * MEASURED)


def _looks(
    look: Callable[[], dict[str, float]], seconds: float, every: float
) -> Iterator[tuple[float, dict[str, float]]]:
    began, printed = time.monotonic(), 0.0
    for number in itertools.count(1):
        time.sleep(max(0.0, began + number * every - time.monotonic()))
        at = time.monotonic() - began
        figures = look()
        if at - printed >= _MINUTE or at >= seconds:
            printed = at
            told = ", ".join(f"{name} {figure:.4g}" for name, figure in figures.items())
            print(f"{at / _MINUTE:5.1f} min: {told}", flush=True)
        yield at, figures
        if at >= seconds:
            return


def _judge(readings: Readings) -> int:
    seconds = [at for at, _ in readings]
    growing = []
    print("from the second third to the last:")
    for name in readings[0][1]:
        if name in reading.GROWS_ANYHOW:
            continue
        found = trend(seconds, [figures[name] for _, figures in readings], reading.floor(name))
        verdict = "GROWS" if found.grows else "steady"
        print(
            f"  {name:20} about {found.level:8.1f}, {found.rise:+7.2f} of at most {found.allowed:6.2f}: {verdict}"
        )
        growing += [name] if found.grows else []
    print(f"grows: {', '.join(growing) or 'nothing'}")
    return 1 if growing else 0


if __name__ == "__main__":
    sys.exit(main())
