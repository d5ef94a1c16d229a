import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from models import Approval, HoldMode, Stage, State
from worker import transitions
from worker.scheduling.schedule import Schedule, ScheduleProblem, held_here
from worker.scheduling.zoned_time import ZonedTime, moment, start_of_day

ZONES = ["America/New_York", "America/Phoenix", "UTC"]
SECOND = timedelta(seconds=1)


def sunday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))


def at(wall: str, day: date, zone: str) -> ZonedTime:
    return moment(datetime.fromisoformat(f"{day} {wall}"), zone)


def test_all_is_ready_and_the_price_known_long_before_anything_is_paid(
    post: Any, clock: Any, paid: Any
) -> None:
    send = at("09:00", clock.at.date() + timedelta(days=30), "America/Chicago")

    mailing_id = post.open(Schedule(send=send))
    row = post.job(mailing_id)

    assert (row.state, row.stage) == (State.QUEUED, Stage.CHECKOUT)
    assert row.not_before == row.wake_at == send.instant
    assert row.quoted > 0
    assert row.proof_sha256
    assert "09:00 America/Chicago" in row.reason
    assert paid() == []


def test_over_both_changes_of_daylight_saving_each_is_paid_at_its_wall_time_and_not_a_second_before(
    post: Any, clock: Any, paid: Any
) -> None:
    year = clock.at.year + 1
    walls = [("02:30", sunday(year, 3, 2)), ("01:30", sunday(year, 11, 1))]
    sends = [Schedule(send=at(wall, day, zone)) for wall, day in walls for zone in ZONES]
    days = [sunday(year, 3, 2) + timedelta(days=1), sunday(year, 11, 1) + timedelta(days=1)]
    holds = [
        Schedule(hold_until=day, hold_mode=HoldMode.LOCAL, send=held_here(day, zone))
        for day in days
        for zone in ZONES
    ]
    mailings = {post.open(schedule): schedule.send for schedule in (*sends, *holds)}
    post.tick()

    for mailing_id, send in sorted(mailings.items(), key=lambda one: one[1].instant):
        if clock.at < send.instant - SECOND:
            clock.go_to(send.instant - SECOND)
            post.tick()
        assert post.row(mailing_id).state is State.QUEUED, send
        clock.go_to(max(clock.at, send.instant))
        post.tick()
        assert post.row(mailing_id).stage is Stage.SETTLE, send

    assert len(paid()) == len(mailings)


def test_the_instants_of_these_walls_are_those_of_the_zones() -> None:
    spring, autumn = sunday(2027, 3, 2), sunday(2027, 11, 1)

    assert at("02:30", spring, "America/New_York").instant == datetime(2027, 3, 14, 7, tzinfo=UTC)
    assert at("01:30", autumn, "America/New_York").instant == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
    assert start_of_day(date(2027, 11, 8), "America/New_York").instant == datetime(2027, 11, 8, 5, tzinfo=UTC)
    assert start_of_day(date(2027, 11, 8), "America/Phoenix").instant == datetime(2027, 11, 8, 7, tzinfo=UTC)


def test_a_hold_at_the_vendor_is_paid_at_once_and_names_the_date(post: Any, clock: Any, paid: Any) -> None:
    until = clock.at.date() + timedelta(days=40)

    row = post.job(post.open(Schedule(hold_until=until, hold_mode=HoldMode.VENDOR)))

    assert row.state is State.SENT
    (order,) = paid()
    assert [one["holdUntilDate"] for one in order["checkouts"]] == [until.isoformat()]


def test_a_hold_date_before_production_ends_asks_and_names_the_earliest_that_the_vendor_takes(
    post: Any, clock: Any, context: Any, paid: Any
) -> None:
    until = clock.at.date() + timedelta(days=2)
    mailing_id = post.open(Schedule(hold_until=until, hold_mode=HoldMode.VENDOR))

    row = post.job(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, ScheduleProblem.HOLD_TOO_EARLY)
    earliest = date.fromisoformat(row.reason.split()[-1])
    assert f"the earliest possible date is {earliest}" in row.reason
    options = {"postage": "Standard", "production": "Normal"}
    context.vendor.summary(row.order_id, hold_until=earliest, **options)
    with pytest.raises(Exception, match="refused"):
        context.vendor.summary(row.order_id, hold_until=earliest - timedelta(days=1), **options)
    assert paid() == []


@pytest.mark.parametrize(("days", "state"), [(0, State.ATTENTION), (1, State.SENT)])
def test_a_hold_date_on_the_very_day_of_completion_is_a_day_too_early(
    post: Any, context: Any, days: int, state: State
) -> None:
    other = post.job(post.open(Schedule(), approval=Approval.REQUIRED))
    told = context.vendor.summary(other.order_id, postage="Standard", production="Normal")
    until = told.production_dates["Normal"].date() + timedelta(days=days)

    row = post.job(post.open(Schedule(hold_until=until, hold_mode=HoldMode.VENDOR)))

    assert row.state is state
    assert row.reason_code == (ScheduleProblem.HOLD_TOO_EARLY if days == 0 else None)


def test_a_quote_that_delivers_before_the_hold_date_is_not_paid(
    post: Any, clock: Any, context: Any, paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = clock.at.date() + timedelta(days=60)
    real = type(context.vendor).summary
    monkeypatch.setattr(
        "lettrlabs.LettrLabs.summary",
        lambda self, order_id, **asked: real(self, order_id, **{**asked, "hold_until": None}),
    )

    row = post.job(post.open(Schedule(hold_until=until, hold_mode=HoldMode.VENDOR)))

    assert (row.state, row.reason_code) == (State.ATTENTION, "quote_of_other_options")
    assert f"although held until {until}" in row.reason
    assert paid() == []


def test_a_hold_date_that_passes_while_approval_waits_asks_before_anything_is_paid(
    post: Any, clock: Any, paid: Any
) -> None:
    until = clock.at.date() + timedelta(days=15)
    schedule = Schedule(hold_until=until, hold_mode=HoldMode.VENDOR)
    mailing_id = post.open(schedule, approval=Approval.REQUIRED)
    assert post.job(mailing_id).state is State.APPROVAL

    clock.go_to(clock.at + timedelta(days=13))
    post.approve(mailing_id)
    row = post.job(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, ScheduleProblem.HOLD_TOO_EARLY)
    assert paid() == []


def test_what_is_held_here_can_be_cancelled_for_nothing(
    post: Any, clock: Any, paid: Any, context: Any
) -> None:
    day = clock.at.date() + timedelta(days=9)
    mailing_id = post.open(Schedule(hold_until=day, hold_mode=HoldMode.LOCAL, send=held_here(day, "UTC")))
    post.job(mailing_id)

    with context.engine.begin() as connection:
        transitions.cancel(connection, mailing_id, "tester", clock.at)
    row = post.job(mailing_id)

    assert row.state is State.CANCELLED
    assert context.vendor.order(row.order_id) is None
    clock.go_to(clock.at + timedelta(days=10))
    assert post.tick() == []
    assert paid() == []


def test_two_beats_at_its_moment_pay_it_once(post: Any, clock: Any, paid: Any) -> None:
    send = at("09:00", clock.at.date() + timedelta(days=2), "America/New_York")
    mailings = [post.open(Schedule(send=send)) for _ in range(4)]
    post.tick()
    clock.go_to(send.instant)

    beats = [threading.Thread(target=post.tick) for _ in range(2)]
    for one in beats:
        one.start()
    for one in beats:
        one.join()

    assert [len(order["charges"]) for order in paid()] == [1] * len(mailings)
