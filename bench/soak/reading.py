"""What is read off everything that runs: memory and files of each process, the database, the broker, the backlog."""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from redis import Redis

from bench.memory_usage import Footprint

_MEGABYTE: Final = 1 << 20

_DATABASE: Final = """
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
           (SELECT count(*) FROM pg_locks WHERE database = (SELECT oid FROM pg_database
                                                             WHERE datname = current_database())) AS locks,
           (SELECT count(*) FROM pg_locks WHERE NOT granted) AS "locks waited for",
           (SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables) AS "dead tuples",
           (SELECT coalesce(sum(n_live_tup), 0) FROM pg_stat_user_tables) AS "live tuples",
           (SELECT count(*) FROM mailing WHERE wake_at IS NOT NULL) AS backlog
"""

FLOORS: Final[Mapping[str, float]] = {
    "used MB": 0.5,
    "MB": 5.0,
    "files": 3.0,
    "connections": 2.0,
    "locks": 30.0,
    "locks waited for": 2.0,
    "dead per 100 live": 10.0,
    "backlog": 20.0,
    "Redis keys": 5.0,
}
"""By a figure's last words: a difference from one third of a run to the next that is nothing."""
GROWS_ANYHOW: Final = ("sandbox MB", "live tuples", "dead tuples")
"""The vendor remembers everything by itself; and dead tuples are swept when they are a fifth of those that live."""


def read(connection: psycopg.Connection[Any], broker: "Redis", pids: Mapping[str, int]) -> dict[str, float]:
    """Return every figure by its name; raises what kernel, database and broker do when they cannot tell."""
    figures: dict[str, float] = {}
    for name, pid in pids.items():
        footprint = Footprint.of(pid)
        figures[f"{name} MB"] = footprint.megabytes
        figures[f"{name} files"] = footprint.files
    figures |= _database(connection)
    figures["Redis keys"] = int(broker.dbsize())
    figures["Redis used MB"] = broker.info("memory")["used_memory"] / _MEGABYTE
    return figures


def floor(name: str) -> float:
    """Return how much of a difference is nothing for a figure."""
    return next(size for words, size in FLOORS.items() if name == words or name.endswith(f" {words}"))


def _database(connection: psycopg.Connection[Any]) -> dict[str, float]:
    cursor = connection.execute(_DATABASE)
    row = cursor.fetchone() or ()
    told = {column.name: float(value) for column, value in zip(cursor.description or (), row, strict=True)}
    return told | {"dead per 100 live": 100 * told["dead tuples"] / max(1.0, told["live tuples"])}
