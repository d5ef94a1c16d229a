"""Attempts: an event that breaks or kills its worker is given up, and takes no other event with it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from intake.events import processor
from models import Mailing


def test_an_event_that_breaks_us_is_given_up_and_keeps_no_other_waiting(
    shop: Any, an_event: Any, a_trigger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.declare(a_trigger())
    poison, other = shop.happen(an_event(1), an_event(2))
    due_time = processor.due_time

    def breaks(trigger: Any, event: Any, *rest: Any) -> Any:
        if event["id"] == "signup-1":
            raise ZeroDivisionError
        return due_time(trigger, event, *rest)

    monkeypatch.setattr(processor, "due_time", breaks)

    for _ in range(10):
        shop.tick(timedelta(seconds=61))

    assert shop.outcomes(poison, other) == ["failed", "ordered"]
    with shop.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Mailing)) == 1


def test_an_event_at_which_the_worker_dies_each_time_takes_no_other_with_it(
    shop: Any, an_event: Any, a_trigger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.declare(a_trigger())
    deadly, other = shop.happen(an_event(1), an_event(2))
    answer = processor.process_event

    def dies(connection: Any, number: int, *rest: Any) -> None:
        if number == deadly:
            raise SystemExit
        answer(connection, number, *rest)

    monkeypatch.setattr(processor, "process_event", dies)

    for _ in range(8):
        with pytest.raises(SystemExit):
            shop.tick(timedelta(seconds=61))
    shop.tick(timedelta(seconds=61))

    assert shop.outcomes(deadly, other) == ["failed", "ordered"]


def test_events_that_wait_while_the_database_fails_keep_their_attempts(
    shop: Any, an_event: Any, a_trigger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.declare(a_trigger())
    numbers = shop.happen(*(an_event(n) for n in range(3)))

    def is_away(*_: Any, **__: Any) -> None:
        raise OperationalError("", {}, Exception())

    with monkeypatch.context() as broken:
        broken.setattr(processor, "_guarded_answer", is_away)
        for _ in range(10):
            with pytest.raises(OperationalError):
                shop.tick(timedelta(seconds=61))
    shop.tick(timedelta(seconds=61))

    assert shop.outcomes(*numbers) == ["ordered"] * 3
