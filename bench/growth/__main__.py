"""Measure and judge: ``python -m bench.growth [--sizes N...] [--mailings N] [--rounds N]``.

A database for each size, each with workers and a beat of its own that stand still except while they are measured, all
on one PostgreSQL and one sandbox, by turns; and in each the due scan, with nothing else at work. Exits 1 if one of
them is more than a tenth below the first. How the due scan grows with what is held, `make bench-due` measures.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Final

from sqlalchemy import create_engine

from bench import run_metadata, workload
from bench.environment import Servers
from bench.growth import due, history
from bench.speed.contenders import Mailrun
from bench.speed.measure import Ground, Measured, measure, opened
from worker.context import MESSAGE_THREADS

ALLOWED: Final = 0.9
_SCANS: Final = 15


def main() -> int:
    """Fill, measure by turns, print, judge."""
    asked = _asked()
    run_metadata.tell(f"python -m bench.growth {' '.join(sys.argv[1:])}".strip())
    with opened() as (ground, troop):
        on = (ground.servers, ground.sandbox, ground.directory)
        full = {
            size: Mailrun(f"beside {size}", *on, concurrency=asked.threads, workers=2) for size in asked.sizes
        }
        for size, contender in full.items():
            contender.enlist(troop)
            contender.rest()
            # Warmed up, and the first of its history really sent.
            measure(ground, contender, workload.make(asked.mailings, 0, most_people=1))
            _fill(ground.servers, contender, size)
        claimed = [_judge(_by_turns(ground, full, asked)), _judge_scan(_scans(ground.servers, full))]
    return 0 if all(claimed) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.growth")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--mailings", type=int, default=400, help="in a measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=MESSAGE_THREADS, help="of each of the two workers")
    return parser.parse_args()


def _fill(servers: Servers, contender: Mailrun, size: int) -> None:
    began = time.perf_counter()
    with servers.postgres.connect(contender.key) as connection:
        history.grow(connection, size)
        rows = history.counted(connection)
    told = ", ".join(f"{table} {count:,}" for table, count in rows.items())
    print(f"{size:,} finished, filled in {time.perf_counter() - began:.0f} s: {told}", flush=True)


def _by_turns(
    ground: Ground, full: Mapping[int, Mailrun], asked: argparse.Namespace
) -> dict[int, list[Measured]]:
    done: dict[int, list[Measured]] = {size: [] for size in full}
    for turn in range(1, asked.rounds + 1):
        mailings = workload.make(asked.mailings, turn, most_people=1, first=turn * asked.mailings)
        # Each comes first in its turn, for whoever comes later has what the others left to be written.
        sizes = sorted(full, key=lambda size: (list(full).index(size) + turn) % len(full))
        for size in sizes:
            done[size].append(measure(ground, full[size], mailings))
    return done


def _scans(servers: Servers, full: Mapping[int, Mailrun]) -> dict[int, list[float]]:
    engines = {
        size: create_engine(servers.postgres.owner_url(contender.key)) for size, contender in full.items()
    }
    done: dict[int, list[float]] = {size: [] for size in full}
    for turn in range(_SCANS + 1):
        for size, engine in engines.items():
            seconds = due.release(engine)
            # The first one only warms up.
            done[size] += [seconds] if turn else []
    for engine in engines.values():
        engine.dispose()
    return done


def _judge_scan(done: dict[int, list[float]]) -> bool:
    first = next(iter(done))
    shares = {
        size: statistics.median(base / one for one, base in zip(turns, done[first], strict=True))
        for size, turns in done.items()
    }
    for size, turns in done.items():
        median = 1000 * statistics.median(turns)
        told = f"{due.DUE:,} due ones released in {median:.1f} ms"
        print(f"beside {size:>9,}: {told}, {shares[size]:.2f} of the first's pace (medians of {len(turns)})")
    return min(shares.values()) >= ALLOWED


def _judge(done: dict[int, list[Measured]]) -> bool:
    """Compare within each turn, so that what else the machine does falls on all alike."""
    first = next(iter(done))
    shares = {
        size: statistics.median(one.rate / base.rate for one, base in zip(turns, done[first], strict=True))
        for size, turns in done.items()
    }
    for size, turns in done.items():
        rate = statistics.median(one.rate for one in turns)
        spent = statistics.median(one.own + one.postgres for one in turns)
        told = f"{rate:5.1f} mailings/s, {spent:4.1f} ms of CPU each (worker and PostgreSQL)"
        print(f"beside {size:>9,}: {told}, {shares[size]:.2f} of the first (medians of {len(turns)})")
    return min(shares.values()) >= ALLOWED


if __name__ == "__main__":
    sys.exit(main())
