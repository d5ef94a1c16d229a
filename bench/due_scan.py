"""The due scan among many held mailings: releasing 1,000 due ones among 1,000,000 rows, and among 10,000.

A PostgreSQL of its own, from the wheel, with the tables of this version. Both sizes are measured in turn, round by
round, in one run; what counts is the ratio of their medians. Exits 1 if it is more than 1.5, or if the plan is not
an index scan.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, text

import migrations
from console.local.postgres import Postgres
from console.local.roles import OWNER
from console.local.services import in_use
from models import Priority
from worker import transitions
from worker.transitions.wake import WAKE

FEW: Final = 10_000
MANY: Final = 1_000_000
DUE: Final = 1_000
ROOM: Final = 500  # what one tick takes at most: the default of MAILRUN_DISPATCH_WINDOW
ROUNDS: Final = 15
ALLOWED: Final = 1.5
NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)
AGAIN: Final = timedelta(seconds=60)

_HELD: Final = text("""
    INSERT INTO mailing (key, request_digest, stage, state, priority, not_before, wake_at, template_id, postage,
                         speed, auto_bill, approval, order_id, size, cursor, send_at, send_wall, zone)
    SELECT 'held:' || n, '\\x00', 'checkout', 'queued', :priority, at, at, 1001, 'Standard',
           'Normal', true, 'auto', n, 1, 1, at, at AT TIME ZONE 'UTC', 'UTC'
      FROM (SELECT n, CAST(:now AS timestamptz) + interval '1 day' + n * interval '7 seconds' AS at
              FROM generate_series(1, CAST(:rows AS integer)) AS n) AS held
""")
# Any of them, as their times come: spread over the whole table, not where the last ones lie.
_COME_DUE: Final = text("""
    UPDATE mailing
       SET wake_at = CAST(:now AS timestamptz) - interval '1 second',
           not_before = CAST(:now AS timestamptz) - interval '1 second'
     WHERE order_id IN (SELECT 1 + (CAST(:rows AS bigint) / :due * n + :shift) % :rows
                          FROM generate_series(1, CAST(:due AS integer)) AS n)
""")


def main() -> int:
    """Measure, print, judge."""
    with tempfile.TemporaryDirectory(prefix="mailrun-bench-") as directory:
        server = Postgres(Path(directory) / "postgres", durable=True)
        with in_use(server):
            engines = {rows: _filled(server, rows) for rows in (FEW, MANY)}
            seconds: dict[int, list[float]] = {rows: [] for rows in engines}
            for turn in range(ROUNDS):
                for rows, engine in engines.items():
                    seconds[rows].append(_release(engine, rows, turn))
            plan = _plan(engines[MANY])
            for engine in engines.values():
                engine.dispose()
    return _judge(seconds, plan)


def _filled(server: Postgres, rows: int) -> Engine:
    name = f"held_{rows}"
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    migrations.upgrade(server.owner_url(name))
    engine = create_engine(server.owner_url(name))
    with engine.begin() as connection:
        connection.execute(_HELD, {"now": NOW, "rows": rows, "priority": int(Priority.CAMPAIGN)})
    _tidy(engine)
    return engine


def _tidy(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE mailing"))


def _release(engine: Engine, rows: int, turn: int) -> float:
    with engine.begin() as connection:
        come = {"now": NOW, "rows": rows, "due": DUE, "shift": 97 * turn}
        assert connection.execute(_COME_DUE, come).rowcount == DUE  # noqa: S101 - a benchmark of nothing is none
    started = time.perf_counter()
    released = woken(engine)
    elapsed = time.perf_counter() - started
    assert len(released) == DUE  # noqa: S101 - as above
    with engine.begin() as connection:
        _put_back(connection)
    return elapsed


def woken(engine: Engine) -> list[int]:
    """Wake what is due as the beat does it, scan after scan until nothing is left; returns which mailings."""
    ids: list[int] = []
    while True:
        with engine.begin() as connection:
            found = transitions.wake_due(connection, Priority.CAMPAIGN, NOW, ROOM, AGAIN)
        if not found:
            return ids
        ids += [one.id for one in found]


def _put_back(connection: Connection) -> None:
    """Let the released ones be held again, so that every round finds the same number."""
    connection.execute(
        text("UPDATE mailing SET wake_at = send_at, not_before = send_at WHERE wake_at < send_at")
    )


def _plan(engine: Engine) -> str:
    bounds = {"now": NOW, "again": NOW + AGAIN, "priority": int(Priority.CAMPAIGN), "room": ROOM}
    with engine.begin() as connection:
        rows = connection.execute(text(f"EXPLAIN {WAKE.text}"), bounds).scalars().all()
        connection.rollback()
    return "\n".join(rows)


def _judge(seconds: dict[int, list[float]], plan: str) -> int:
    medians = {rows: statistics.median(times) for rows, times in seconds.items()}
    for rows, median in medians.items():
        print(f"{DUE:,} due among {rows:>9,} held: {1000 * median:6.1f} ms (median of {ROUNDS})")
    ratio = medians[MANY] / medians[FEW]
    by_index = "using ix_mailing_due" in plan and "Seq Scan on mailing" not in plan
    print(f"ratio {ratio:.2f}, at most {ALLOWED} is allowed; index scan: {'yes' if by_index else 'no'}")
    print(plan)
    return 0 if ratio <= ALLOWED and by_index else 1


if __name__ == "__main__":
    sys.exit(main())
