"""Measures everybody, in turns and round by round, and prints medians and ratios; exits 1 if a goal is missed."""

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence

from bench import run_metadata, workload
from bench.chaos.contenders import DBOS_PYTHON
from bench.speed import verdict
from bench.speed.contenders import Bare, Candidate, Chain, Mailrun, Workflow
from bench.speed.measure import Ground, Measured, measure, opened, slow_down
from bench.workload import SampleMailing
from worker.context import CALL_POOL_SIZE, MESSAGE_THREADS

# With a slow vendor at least so many mailings for each call at once: the first and the last wave are not full.
_WAVES = 40

Results = dict[str, list[Measured]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _parser().parse_args(arguments)
    run_metadata.tell(f"python -m bench.speed {' '.join(sys.argv[1:])}".strip())
    met = True
    with opened() as (ground, troop):
        contenders = _contenders(ground, options.threads)
        chosen = [one for one in contenders if any(word in one.name for word in options.only)]
        for contender in chosen:
            contender.enlist(troop)
            contender.rest()
        born = itertools.count(step=max(options.mailings, _WAVES * options.threads))
        for latency in options.latency:
            slow_down(ground.sandbox, latency / 1000)
            count = options.mailings if latency == 0 else max(options.mailings, _WAVES * options.threads)
            # Who waits for a few calls only would take minutes, and could not win.
            able = [one for one in chosen if latency == 0 or one.calls_at_once >= options.threads]
            results = _rounds(ground, able, count, options.rounds, born)
            met &= verdict.tell(results, latency / 1000, options.threads)
    return 0 if met else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description="See docs/performance.md.")
    parser.add_argument("--mailings", type=int, default=1000, help="mailings in a measurement (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each, after one to warm up")
    parser.add_argument("--latency", type=int, nargs="*", default=[0, 50, 200], help="of the vendor, in ms")
    parser.add_argument("--threads", type=int, default=2 * CALL_POOL_SIZE, help="calls at once (%(default)s)")
    parser.add_argument("--only", nargs="*", default=[""], help="those whose names have one of these words")
    return parser


def _contenders(ground: Ground, threads: int) -> list[Candidate]:
    """Return everybody, each in the shapes that may be its best on two cores."""
    on = (ground.servers, ground.sandbox, ground.directory)
    each = threads // 2
    workflow = [Workflow(f"DBOS, 2 x {each}", *on, concurrency=each)] if DBOS_PYTHON.exists() else []
    return [
        Bare(f"httpx, {threads} threads", *on, kind="threads", concurrency=threads),
        Bare("httpx, asyncio", *on, kind="asyncio", concurrency=threads),
        Chain(f"chain, threads {threads}", *on, workers=1, concurrency=threads),
        Chain(f"chain, 2 x threads {each}", *on, workers=2, concurrency=each),
        Chain("chain, prefork 4", *on, pool="prefork", workers=1, concurrency=4),
        *workflow,
        Mailrun("Mailrun, 2 x 4", *on, workers=2, concurrency=4),
        Mailrun(f"Mailrun, 2 x {MESSAGE_THREADS}", *on, workers=2, concurrency=MESSAGE_THREADS),
    ]


def _rounds(
    ground: Ground, contenders: Sequence[Candidate], count: int, rounds: int, born: Iterator[int]
) -> Results:
    results: Results = {contender.name: [] for contender in contenders}
    for turn in range(rounds + 1):
        for contender in contenders:
            mailings: list[SampleMailing] = workload.make(count, turn, most_people=1, first=next(born))
            measured = measure(ground, contender, mailings)
            if turn:
                results[contender.name].append(measured)
            print(f"  {turn} {contender.name}: {measured.rate:.1f}/s", file=sys.stderr, flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
