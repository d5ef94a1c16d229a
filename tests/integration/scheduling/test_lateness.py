from datetime import timedelta
from typing import Any

import pytest

from models import Approval, IfLate, State
from worker import transitions
from worker.scheduling.schedule import Schedule, ScheduleProblem
from worker.scheduling.zoned_time import ZonedTime
from worker.transitions import Resolution

HOUR = timedelta(hours=1)


def in_an_hour(clock: Any) -> ZonedTime:
    at = clock.at + HOUR
    return ZonedTime(at.replace(tzinfo=None), "UTC", at)


def test_after_a_standstill_over_its_time_each_mailing_follows_its_own_policy(
    post: Any, clock: Any, paid: Any, context: Any
) -> None:
    send = in_an_hour(clock)
    send_all_the_same, skip, ask, patient = (
        post.open(Schedule(send=send, if_late=policy, late_after=late))
        for policy, late in [
            (IfLate.SEND, HOUR),
            (IfLate.SKIP, HOUR),
            (IfLate.ASK, HOUR),
            (IfLate.SKIP, 48 * HOUR),
        ]
    )
    post.tick()

    clock.go_to(send.instant + 2 * HOUR)
    for _ in range(3):
        post.tick()
        clock.go_to(clock.at + timedelta(seconds=20))
    rows = {name: post.row(name) for name in (send_all_the_same, skip, ask, patient)}

    assert [rows[one].state for one in rows] == [
        State.SENT,
        State.CANCELLED,
        State.ATTENTION,
        State.SENT,
    ]
    assert rows[skip].reason_code == rows[ask].reason_code == ScheduleProblem.MISSED
    assert "given up" in rows[skip].reason
    assert "2 hours ago" in rows[ask].reason
    assert context.vendor.order(rows[skip].order_id) is None
    assert {order["id"] for order in paid()} == {rows[send_all_the_same].order_id, rows[patient].order_id}


@pytest.mark.parametrize(("late", "state"), [(HOUR, State.SENT), (25 * HOUR, State.ATTENTION)])
def test_unless_told_otherwise_more_than_a_day_late_asks(
    post: Any, clock: Any, late: timedelta, state: State
) -> None:
    mailing_id = post.open(Schedule(send=in_an_hour(clock)))
    post.tick()

    clock.go_to(clock.at + HOUR + late)

    assert post.job(mailing_id).state is state


def test_a_person_who_says_go_on_sends_it_late(post: Any, clock: Any, context: Any) -> None:
    mailing_id = post.open(Schedule(send=in_an_hour(clock)))
    post.tick()
    clock.go_to(clock.at + 50 * HOUR)
    assert post.job(mailing_id).state is State.ATTENTION

    with context.engine.begin() as connection:
        transitions.resolve(connection, mailing_id, Resolution.RETRY, "tester", "still fine", clock.at)

    assert post.job(mailing_id).state is State.SENT


def test_who_approves_after_the_time_is_not_asked_whether_it_may_be_late(post: Any, clock: Any) -> None:
    mailing_id = post.open(Schedule(send=in_an_hour(clock)), approval=Approval.REQUIRED)
    assert post.job(mailing_id).state is State.APPROVAL

    clock.go_to(clock.at + 50 * HOUR)
    post.approve(mailing_id)

    assert post.job(mailing_id).state is State.SENT


def test_what_may_only_be_skipped_is_skipped_although_approved_late(post: Any, clock: Any, paid: Any) -> None:
    schedule = Schedule(send=in_an_hour(clock), if_late=IfLate.SKIP)
    mailing_id = post.open(schedule, approval=Approval.REQUIRED)
    assert post.job(mailing_id).state is State.APPROVAL

    clock.go_to(clock.at + 50 * HOUR)
    post.approve(mailing_id)

    assert post.job(mailing_id).state is State.CANCELLED
    assert paid() == []
