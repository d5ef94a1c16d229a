"""Measure and judge: ``python -m bench.large [--rows N] [--rounds N] [--pages N] [--abreast N] [--seconds N]``.

Exits 1 if Mailrun reads the list at less than 0.4 of the rate of a bare COPY of its rows, hands pages over at less
than 0.8 of a bare loop of the same PUTs at any latency of the vendor, or of the same calls where each page waits for
the one before, takes 300 MB in any process, or takes 50 ms to say how far the campaign is.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import migrations
from bench import run_metadata
from bench.environment import open_sandbox
from bench.large import attach_page, attach_rate, campaign_status, import_rate, people, processes
from bench.large.attach_page import Turns
from bench.large.attach_rate import Turn
from bench.large.import_rate import Import
from bench.processes import ProcessGroup
from console.local.postgres import Postgres
from console.local.services import in_use
from console.local.valkey import Valkey
from worker.context import open_engine
from worker.settings import Settings

LEAST_OF_COPY: Final = 0.4
LEAST_OF_CALLS: Final = 0.8
MOST_MEGABYTES: Final = 300.0
MOST_MILLISECONDS: Final = 50.0


def main() -> int:
    """Run all of it."""
    asked = _asked()
    run_metadata.tell("python -m bench.large " + " ".join(sys.argv[1:]))
    with tempfile.TemporaryDirectory(prefix="mailrun-bench-") as name:
        directory = Path(name)
        postgres, valkey = Postgres(directory / "postgres"), Valkey(directory / "valkey")
        with in_use(postgres), in_use(valkey), ProcessGroup() as troop:
            url = postgres.owner_url()
            migrations.upgrade(url)
            env = {"DATABASE_URL": url, "REDIS_URL": valkey.url, "LETTRLABS_RATE": "1000"}
            claimed = [_imports(postgres, directory, env, asked), _standing(url)]
            sandbox = open_sandbox(troop, directory, "large")
            env |= sandbox.env
            settings = _settings(env, directory)
            claimed.append(_attaching(attach_page.measure(settings, asked.pages)))
            claimed.append(_abreast(attach_rate.measure(settings, env, sandbox, asked.rounds, asked.abreast)))
            claimed.append(_footprints(processes.highest(env, directory, asked.seconds)))
    return 0 if all(claimed) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.large")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument(
        "--abreast", type=int, default=48, help="pages of a turn that are handed over side by side"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long a worker is watched")
    return parser.parse_args()


def _settings(env: Mapping[str, str], directory: Path) -> Settings:
    return Settings.model_validate(
        {
            "database_url": env["DATABASE_URL"],
            "redis_url": env["REDIS_URL"],
            "base_url": env["LETTRLABS_BASE_URL"],
            "api_key": env["LETTRLABS_API_KEY"],
            "rate": env["LETTRLABS_RATE"],
            "data_dir": directory,
        }
    )


def _imports(postgres: Postgres, directory: Path, env: Mapping[str, str], asked: argparse.Namespace) -> bool:
    path = directory / "people.csv"
    people.write(path, asked.rows, seed=1)
    print(f"{asked.rows:,} rows, {path.stat().st_size / 1e6:.0f} MB")
    done: dict[str, list[Import]] = {way: [] for way in import_rate.WAYS}
    for _ in range(asked.rounds):
        with postgres.connect("mailrun") as connection:
            connection.execute("TRUNCATE campaign CASCADE")
        for way, imports in done.items():
            if way == "bytes":
                with postgres.connect("mailrun") as connection:
                    import_rate.dump(connection, directory / import_rate.DUMP)
            imports.append(import_rate.run(way, path, env))
            print(f"  {way:8} {_told(imports[-1], asked.rows)}")
    return _judged(done)


def _told(one: Import, rows: int) -> str:
    per_row = 1e6 * one.cpu_seconds / rows
    return (
        f"{one.seconds:6.1f} s, {rows / one.seconds:8,.0f} rows a second, "
        f"{per_row:5.1f} µs of CPU a row of its own, {one.megabytes:4.0f} MB at most"
    )


def _judged(done: Mapping[str, list[Import]]) -> bool:
    share = {
        way: statistics.median(
            bare.seconds / ours.seconds for ours, bare in zip(done["product"], done[way], strict=True)
        )
        for way in ("rows", "bytes")
    }
    megabytes = max(one.megabytes for one in done["product"])
    print(
        f"import: {share['rows']:.2f} of a bare COPY of the list's rows, at least {LEAST_OF_COPY} is wanted"
    )
    print(f"        {share['bytes']:.2f} of PostgreSQL taking back a file of its own")
    print(f"        {megabytes:.0f} MB at most, {MOST_MEGABYTES:.0f} are allowed")
    return share["rows"] >= LEAST_OF_COPY and megabytes < MOST_MEGABYTES


def _standing(url: str) -> bool:
    engine = open_engine(url)
    times = campaign_status.measure(engine, campaign_status.newest(engine))
    engine.dispose()
    median, worst = 1000 * statistics.median(times), 1000 * max(times)
    print(f"how far it is: {median:.1f} ms (median of {len(times)}), {worst:.1f} at most")
    return median < MOST_MILLISECONDS


def _attaching(turns: Turns) -> bool:
    pages = 1000 * statistics.median(turns.stage)
    puts, reads = (1000 * statistics.median(kind) for kind in (turns.puts, turns.puts_and_reads))
    share = statistics.median(b / s for b, s in zip(turns.puts, turns.stage, strict=True))
    with_reads = statistics.median(b / s for b, s in zip(turns.puts_and_reads, turns.stage, strict=True))
    print(
        f"a page of 1,000: {pages:.0f} ms by the stage, {puts:.0f} by a bare PUT, {reads:.0f} if read back too"
    )
    print(
        f"attach: {share:.2f} of the PUTs alone, {with_reads:.2f} of the same calls (at least {LEAST_OF_CALLS})"
    )
    return with_reads >= LEAST_OF_CALLS


def _abreast(turns: Mapping[float, Sequence[Turn]]) -> bool:
    shares = []
    for latency, several in turns.items():
        loop, ours = (statistics.median(getattr(one, way) for one in several) for way in ("loop", "mailrun"))
        shares.append(statistics.median(one.mailrun / one.loop for one in several))
        verdict = "" if shares[-1] >= LEAST_OF_CALLS else ": not reached"
        print(
            f"side by side, a vendor of {1000 * latency:.0f} ms: {ours:.1f} pages a second, a bare loop of the PUTs "
            f"{loop:.1f}: {shares[-1]:.2f} (at least {LEAST_OF_CALLS}){verdict}"
        )
    return min(shares) >= LEAST_OF_CALLS


def _footprints(megabytes: Mapping[str, float]) -> bool:
    print("at most: " + ", ".join(f"{name} {size:.0f} MB" for name, size in megabytes.items()))
    return all(size < MOST_MEGABYTES for size in megabytes.values())


if __name__ == "__main__":
    sys.exit(main())
