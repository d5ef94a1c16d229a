"""What came of it: a table, and the goals."""

import statistics
from collections.abc import Mapping, Sequence

from bench.speed.measure import Measured

BESIDE_THE_CHAIN = 1.0
BESIDE_DBOS = 2.5
OF_THE_WIRE = 0.9
OVERHEAD_MS = 10.0
_CALLS = 5
_HEADINGS = (
    "vendor latency {latency:g} ms",
    "mailings/s",
    "(least, most)",
    "of the best chain",
    "CPU ms each",
    "own",
    "PostgreSQL",
    "Valkey",
    "vendor's CPU ms",
    "commits",
    "vendor calls",
)


def tell(results: Mapping[str, Sequence[Measured]], latency: float, threads: int) -> bool:
    """Print a table of medians and the goals; return whether they are met."""
    print()
    print(_line([heading.format(latency=1000 * latency) for heading in _HEADINGS]))
    print(_line(["---"] + ["--:"] * (len(_HEADINGS) - 1)))
    chain = _best(results, "chain")
    for name, rows in results.items():
        print(_line(_cells(name, rows, chain)))
    print()
    goals = _goals_on_the_wire(results, latency, threads) if latency else _goals_at_once(results)
    for words, met in goals:
        print(f"- {words}: {'met' if met else 'MISSED'}")
    return all(met for _, met in goals)


def _cells(name: str, rows: Sequence[Measured], chain: float) -> list[str]:
    rates = [one.rate for one in rows]
    rate = statistics.median(rates)
    beside = f"{rate / chain:.2f}" if chain else ""
    own, postgres, valkey, sandbox, commits, calls = (
        statistics.median(getattr(one, what) for one in rows)
        for what in ("own", "postgres", "valkey", "sandbox", "commits", "calls")
    )
    return [
        name,
        f"{rate:.1f}",
        f"{min(rates):.1f}, {max(rates):.1f}",
        beside,
        f"{own + postgres + valkey:.1f}",
        f"{own:.1f}",
        f"{postgres:.1f}",
        f"{valkey:.1f}",
        f"{sandbox:.1f}",
        f"{commits:.1f}",
        f"{calls:.1f}",
    ]


def _goals_at_once(results: Mapping[str, Sequence[Measured]]) -> list[tuple[str, bool]]:
    ours, chain, dbos = (_best(results, word) for word in ("Mailrun", "chain", "DBOS"))
    goals = []
    if ours and chain:
        words = f"{ours / chain:.2f} of the best plain chain (at least {BESIDE_THE_CHAIN})"
        goals.append((words, ours / chain >= BESIDE_THE_CHAIN))
    if ours and dbos:
        words = f"{ours / dbos:.2f} times DBOS (at least {BESIDE_DBOS})"
        goals.append((words, ours / dbos >= BESIDE_DBOS))
    spent, bare = _least_processor(results, "Mailrun"), _least_processor(results, "threads", but="chain")
    if spent and bare:
        words = f"{spent - bare:.1f} ms of CPU over the threaded loop (at most {OVERHEAD_MS:g})"
        goals.append((words, spent - bare <= OVERHEAD_MS))
    return goals


def _goals_on_the_wire(
    results: Mapping[str, Sequence[Measured]], latency: float, threads: int
) -> list[tuple[str, bool]]:
    ours = _best(results, "Mailrun")
    bound = min(threads / (_CALLS * latency), _best(results, "httpx"))
    if not ours or not bound:
        return []
    words = f"{ours / bound:.2f} of {bound:.1f}/s, what the wire and the processors allow (at least {OF_THE_WIRE})"
    return [(words, ours / bound >= OF_THE_WIRE)]


def _best(results: Mapping[str, Sequence[Measured]], word: str) -> float:
    rates = (statistics.median(one.rate for one in rows) for name, rows in results.items() if word in name)
    return max(rates, default=0.0)


def _least_processor(results: Mapping[str, Sequence[Measured]], word: str, but: str = "\0") -> float:
    spent = (
        statistics.median(one.processor for one in rows)
        for name, rows in results.items()
        if word in name and but not in name
    )
    return min(spent, default=0.0)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
