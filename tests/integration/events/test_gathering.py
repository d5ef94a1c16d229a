"""Gathering: events become one order, each in exactly one, whatever happens on the way."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from intake.events import batches
from intake.events.inbox import replay
from models import Event, EventBatch, Mailing, Recipient, TriggerRun

DAY = timedelta(days=1)


def sizes(shop: Any) -> list[int]:
    with shop.engine.connect() as connection:
        return sorted(connection.scalars(select(Mailing.size)))


def test_events_gather_up_to_a_count(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(gather={"count": 3, "age": "1 day"}))
    numbers = shop.happen(*(an_event(n) for n in range(7)))

    shop.tick()

    assert sizes(shop) == [3, 3]
    assert Counter(shop.outcomes(*numbers)) == {"ordered": 6, "gathering": 1}


def test_what_is_gathered_goes_out_at_its_age(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(gather={"age": "1 day"}))
    numbers = shop.happen(an_event(1), an_event(2))
    shop.tick()

    shop.tick(DAY - timedelta(seconds=1))
    assert shop.outcomes(*numbers) == ["gathering", "gathering"]
    shop.tick(timedelta(seconds=1))

    assert shop.outcomes(*numbers) == ["ordered", "ordered"]
    places = [(one.answers[0].mailing, one.answers[0].position) for one in map(shop.receipt, numbers)]
    assert places == [(1, 0), (1, 1)]


def test_the_earliest_day_to_mail_by_closes_the_order(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    shop.declare(a_trigger(gather={"mail_by": "data.by"}))
    late, soon = shop.happen(
        an_event(1, data={"by": "2026-12-24"}), an_event(2, data={"by": "2026-11-21T08:00:00Z"})
    )
    shop.tick()

    shop.tick(timedelta(hours=35, minutes=59))
    assert sizes(shop) == []
    shop.tick(timedelta(minutes=1))

    assert shop.outcomes(late, soon) == ["ordered", "ordered"]


def test_a_person_is_in_an_order_once_and_the_second_event_says_so(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger(gather={"age": "1 day"}))
    twin = an_event(1, id="signup-again", data={"street": "2 OAK STREET"})
    first, second = shop.happen(an_event(1), twin)

    shop.tick()
    shop.tick(DAY)

    assert shop.outcomes(first, second) == ["ordered", "duplicate"]
    assert shop.receipt(second).reason == f"the same person is in the same order for event {first}"
    assert sizes(shop) == [1]


def test_many_workers_put_each_event_into_exactly_one_order(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(gather={"count": 7, "age": "1 day"}))
    numbers = shop.happen(*(an_event(n) for n in range(60)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: shop.tick(), range(8)))
    shop.tick(DAY)

    assert set(shop.outcomes(*numbers)) == {"ordered"}
    with shop.engine.connect() as connection:
        mailed = Counter(connection.scalars(select(Recipient.first_name)))
        assert connection.scalar(select(EventBatch.id).where(EventBatch.closed_at.is_(None))) is None
    assert mailed == Counter(f"Ann{n}" for n in range(60))
    assert sum(sizes(shop)) == 60


def test_a_close_that_breaks_off_loses_and_doubles_nobody(
    shop: Any, an_event: Any, a_trigger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.declare(a_trigger(gather={"age": "1 day"}))
    numbers = shop.happen(*(an_event(n) for n in range(5)))
    shop.tick()

    order = batches.order

    def written_then_broken_off(*given: Any) -> int:
        order(*given)
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(batches, "order", written_then_broken_off)
        shop.tick(DAY)
    assert sizes(shop) == []
    assert set(shop.outcomes(*numbers)) == {"gathering"}
    shop.tick(timedelta(seconds=61))

    assert sizes(shop) == [5]
    assert set(shop.outcomes(*numbers)) == {"ordered"}


def test_a_gathering_that_never_closes_is_given_up_with_a_reason(
    shop: Any, an_event: Any, a_trigger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.declare(a_trigger(gather={"age": "1 day"}))
    (number,) = shop.happen(an_event())
    shop.tick()
    monkeypatch.setattr(batches, "order", None)

    shop.tick(DAY)
    for _ in range(9):
        shop.tick(timedelta(seconds=61))

    assert shop.outcomes(number) == ["failed"]
    assert sizes(shop) == []


def test_who_is_erased_while_they_wait_is_not_in_the_order(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(gather={"age": "1 day"}))
    erased, other = shop.happen(an_event(1), an_event(2))
    shop.tick()
    with shop.engine.begin() as connection:
        connection.execute(update(Event).where(Event.id == erased).values(body=None))

    shop.tick(DAY)

    assert shop.outcomes(erased, other) == ["suppressed", "ordered"]
    assert sizes(shop) == [1]


def test_an_order_with_nobody_left_is_not_made(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(gather={"age": "1 day"}))
    shop.happen(an_event())
    shop.tick()
    with shop.engine.begin() as connection:
        connection.execute(update(Event).values(body=None))

    shop.tick(DAY)

    with shop.engine.connect() as connection:
        closed = connection.execute(select(EventBatch.closed_at, EventBatch.mailing_id)).one()
    assert closed.closed_at is not None
    assert closed.mailing_id is None


def test_a_new_version_gathers_apart_and_the_old_one_still_goes_out(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger(gather={"age": "1 day"}))
    shop.happen(an_event(1))
    shop.tick()
    shop.declare(a_trigger(template=1002, gather={"age": "1 day"}))
    shop.happen(an_event(2))
    shop.tick()

    shop.tick(DAY)

    with shop.engine.connect() as connection:
        templates = sorted(connection.scalars(select(Mailing.template_id)))
    assert templates == [1001, 1002]


def test_a_replay_of_a_gathering_event_changes_nothing(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(gather={"age": "1 day"}))
    (number,) = shop.happen(an_event())
    shop.tick()

    with shop.engine.begin() as connection:
        replay(connection, number, shop.at)
    shop.tick()
    shop.tick(DAY)

    assert sizes(shop) == [1]
    with shop.engine.connect() as connection:
        assert connection.scalars(select(TriggerRun.tries)).all() == [1]
