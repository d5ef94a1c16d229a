from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from lettrlabs import CallRecord, Outcome, Postage, ProductionSpeed, Refused
from models import Approval, DeliveryOptionRow, State
from worker import transitions
from worker.scheduling import postal_calendar
from worker.scheduling.schedule import Schedule, ScheduleProblem
from worker.scheduling.zoned_time import ZonedTime

DAY = timedelta(days=1)


def offers(context: Any, order_id: int) -> dict[tuple[str, str], tuple[Decimal, date]]:
    """Ask the vendor again, for each choice: its total, and the latest day."""
    found = {}
    for postage, speed in product(Postage, ProductionSpeed):
        told = context.vendor.summary(order_id, postage=postage, production=speed)
        found[postage.value, speed.value] = (told.balance, told.delivery_max.date())
    return found


def in_time(latest: date, by: date) -> bool:
    arrives = postal_calendar.delivery_day(latest)
    return any(postal_calendar.delivers(arrives + n * DAY) for n in range(1, (by - arrives).days + 1))


@pytest.mark.parametrize("days", [7, 12, 19, 40])
def test_the_cheapest_that_arrives_in_time_is_ordered_or_a_person_is_asked(
    post: Any, clock: Any, context: Any, paid: Any, days: int
) -> None:
    by = clock.at.date() + timedelta(days=days)
    mailing_id = post.open(Schedule(deliver_by=by), approval=Approval.REQUIRED)

    row = post.job(mailing_id)

    possible = {
        one: (total, day) for one, (total, day) in offers(context, row.order_id).items() if in_time(day, by)
    }
    if not possible:
        assert (row.state, row.reason_code) == (State.ATTENTION, ScheduleProblem.NOT_IN_TIME)
        return
    assert row.state is State.APPROVAL
    assert (row.postage, row.speed) in possible
    assert row.quoted == min(total for total, _ in possible.values())
    post.approve(mailing_id)
    assert post.job(mailing_id).state is State.SENT
    (order,) = paid()
    assert [(one["postageType"], one["productionSpeed"]) for one in order["checkouts"]] == [
        (row.postage, row.speed)
    ]


def test_the_whole_grid_is_kept(post: Any, clock: Any, context: Any) -> None:
    mailing_id = post.open(Schedule(deliver_by=clock.at.date() + 40 * DAY), approval=Approval.REQUIRED)

    row = post.job(mailing_id)

    with context.engine.connect() as connection:
        cells = connection.execute(select(*DeliveryOptionRow.__table__.columns)).all()
    assert {(one.postage, one.speed): one.total for one in cells} == {
        name: total for name, (total, _) in offers(context, row.order_id).items()
    }
    assert [(one.postage, one.speed) for one in cells if one.chosen] == [(row.postage, row.speed)]


def test_if_nothing_arrives_in_time_the_closest_is_named_and_its_date_can_be_taken(
    post: Any, clock: Any, context: Any, paid: Any
) -> None:
    mailing_id = post.open(Schedule(deliver_by=clock.at.date() + 2 * DAY))

    row = post.job(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, ScheduleProblem.NOT_IN_TIME)
    assert "FirstClass, ExpeditedFastest" in row.reason
    assert paid() == []
    would_do = date.fromisoformat(row.reason.split()[-1])
    with context.engine.begin() as connection:
        transitions.reschedule(connection, mailing_id, Schedule(deliver_by=would_do), "tester", clock.at)
    row = post.job(mailing_id)
    assert (row.state, row.postage, row.speed) == (State.SENT, "FirstClass", "ExpeditedFastest")


def test_approval_before_the_time_told_pays_the_price_and_after_it_asks_again(
    post: Any, clock: Any, paid: Any
) -> None:
    by = clock.at.date() + 21 * DAY
    punctual, late = (post.open(Schedule(deliver_by=by), approval=Approval.REQUIRED) for _ in range(2))
    row, _ = post.job(punctual), post.job(late)
    assert row.price_until is not None
    assert row.price_after > row.quoted

    clock.go_to(max(clock.at, row.price_until - timedelta(minutes=1)))
    post.approve(punctual)
    assert post.job(punctual).state is State.SENT
    assert sum(Decimal(str(one["amount"])) for one in paid()[0]["charges"]) == row.quoted
    clock.go_to(_a_business_day_after(row.price_until))
    post.approve(late)
    again = post.job(late)

    assert again.state is State.APPROVAL
    assert again.quoted == row.price_after
    assert (again.postage, again.speed) != (row.postage, row.speed)
    assert len(paid()) == 1


def _a_business_day_after(instant: datetime) -> datetime:
    day = postal_calendar.business_day_after(instant.date(), 1)
    return datetime.combine(day, instant.timetz())


def test_what_is_sent_later_must_arrive_in_time_from_then(post: Any, clock: Any, context: Any) -> None:
    send = datetime.combine(clock.at.date() + 30 * DAY, datetime.min.time(), tzinfo=UTC)
    by = send.date() + 10 * DAY
    at = ZonedTime(send.replace(tzinfo=None), "UTC", send)
    mailing_id = post.open(Schedule(send=at, deliver_by=by))

    row = post.job(mailing_id)

    # Paid today, the cheapest would easily be there; from its own day on, only a dearer one is.
    cheapest = min(total for total, _ in offers(context, row.order_id).values())
    assert row.state is State.QUEUED
    assert row.quoted > cheapest
    clock.go_to(send)
    assert post.job(mailing_id).state is State.SENT


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_option_that_is_answered_by_an_error_is_not_an_option_that_is_not_sold(
    post: Any, clock: Any, context: Any, paid: Any, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """The sandbox answers so for all options or none: the client is made to hear it of one."""
    real = type(context.vendor).summary

    def summary(self: Any, order_id: int, *, postage: str, production: str, **rest: Any) -> Any:
        if (postage, production) == ("Standard", "Normal"):
            raise Refused(status, None, None, CallRecord.of_list("summary", Outcome.REJECTED))
        return real(self, order_id, postage=postage, production=production, **rest)

    monkeypatch.setattr("lettrlabs.LettrLabs.summary", summary)
    mailing_id = post.open(Schedule(deliver_by=clock.at.date() + 60 * DAY))

    row = post.job(mailing_id)

    assert row.state is not State.SENT
    assert row.quoted is None
    assert paid() == []
