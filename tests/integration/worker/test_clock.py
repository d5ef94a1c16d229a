"""Leases and due times go by the database's clock, however far the clock of a worker's machine is off."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

import intake
import worker
from models import Mailing, Stage
from worker import transitions
from worker.clock import SKEW, Skew, system_clock
from worker.context import measure_skew, open_context
from worker.settings import Settings

# Between reading one clock and reading the other.
NEARLY = timedelta(seconds=1)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Return a function that sets this machine's clock to so many seconds beside the true time."""

    def beside(seconds: float) -> None:
        monkeypatch.setattr(SKEW, "_local", lambda: datetime.now(UTC) + timedelta(seconds=seconds))

    monkeypatch.setattr(SKEW, "_difference", timedelta())
    return beside


def database_time(engine: Engine) -> datetime:
    with engine.connect() as connection:
        found: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return found


@pytest.mark.parametrize("seconds", [30, -30, 7200])
def test_a_worker_whose_clock_is_off_gives_leases_by_the_databases_clock(
    seconds: float, machine: Callable[[float], None], engine: Engine, new_mailing: Any
) -> None:
    machine(seconds)
    mailing_id = new_mailing(1)
    url = engine.url.render_as_string(hide_password=False)
    context = open_context(Settings(database_url=url))
    try:
        with context.engine.begin() as connection:
            connection.execute(text("UPDATE mailing SET not_before = clock_timestamp()"))
        with context.engine.begin() as connection:
            claimed = transitions.claim(connection, mailing_id, Stage.CREATE, context.clock(), context.lease)
        assert claimed is not None
        assert abs(claimed.lease_until - context.lease - database_time(engine)) < NEARLY
        with engine.connect() as connection:
            assert connection.scalar(select(Mailing.lease_until)) == claimed.lease_until
    finally:
        context.close()


def test_a_clock_that_is_set_while_a_worker_runs_is_measured_anew(
    machine: Callable[[float], None], engine: Engine
) -> None:
    machine(0)
    measure_skew(engine)
    machine(45)
    assert abs(system_clock() - database_time(engine)) > NEARLY

    measure_skew(engine)

    assert abs(system_clock() - database_time(engine)) < NEARLY


class Answers:
    """A database that says what time it is."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def execute(self, _: str) -> "Answers":
        return self

    def fetchone(self) -> tuple[datetime]:
        return (self.at,)


def test_time_does_not_jitter_with_each_measurement() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    readings = iter([start, start + timedelta(milliseconds=200)])
    skew = Skew(lambda: next(readings))

    skew.measure(Answers(start + timedelta(milliseconds=70)))  # type: ignore[arg-type]

    assert skew.difference == timedelta()


def test_an_answer_that_took_long_says_nothing() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    readings = iter([start, start + timedelta(seconds=9)])
    skew = Skew(lambda: next(readings))

    skew.measure(Answers(start + timedelta(seconds=60)))  # type: ignore[arg-type]

    assert skew.difference == timedelta()


def test_nothing_that_is_kept_goes_by_the_machines_own_clock() -> None:
    # What a webhook signs is checked against the receiver's clock, not the database's.
    allowed = {"clock.py", "webhook_delivery.py"}
    sources = [
        one for package in (worker, intake) for one in Path(str(package.__file__)).parent.rglob("*.py")
    ]
    own = re.compile(r"datetime\.now\(|machine_clock|time\.time\(")

    assert len(sources) > 50
    assert {one.name for one in sources if own.search(one.read_text())} <= allowed
