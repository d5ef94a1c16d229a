import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models import Approval, HoldMode, Mailing, Stage, State
from worker import transitions
from worker.engine.pipeline import RunBudget, process
from worker.scheduling.schedule import Schedule, ScheduleProblem
from worker.scheduling.zoned_time import ZonedTime
from worker.transitions import RescheduleOutcome

DAY = timedelta(days=1)


def at(instant: datetime) -> ZonedTime:
    return ZonedTime(instant.replace(tzinfo=None), "UTC", instant)


@pytest.fixture
def reschedule(context: Any, clock: Any) -> Any:
    def to(mailing_id: int, schedule: Schedule) -> RescheduleOutcome:
        with context.engine.begin() as connection:
            return transitions.reschedule(connection, mailing_id, schedule, "tester", clock.at)

    return to


def test_a_wake_up_of_the_old_time_does_nothing(
    post: Any, clock: Any, context: Any, paid: Any, reschedule: Any
) -> None:
    old, new = clock.at + DAY, clock.at + 3 * DAY
    mailing_id = post.open(Schedule(send=at(old)))
    post.job(mailing_id)

    assert reschedule(mailing_id, Schedule(send=at(new))) is RescheduleOutcome.RESCHEDULED
    clock.go_to(old)
    process(context, [mailing_id], Stage.CHECKOUT, RunBudget())

    assert post.tick() == []
    assert post.row(mailing_id).not_before == post.row(mailing_id).wake_at == new
    assert paid() == []
    clock.go_to(new)
    assert post.job(mailing_id).state is State.SENT


def test_a_time_can_be_moved_forward_and_taken_away(post: Any, clock: Any, reschedule: Any) -> None:
    earlier, at_once = (post.open(Schedule(send=at(clock.at + 9 * DAY))) for _ in range(2))
    post.tick()

    reschedule(earlier, Schedule(send=at(clock.at + DAY)))
    reschedule(at_once, Schedule())

    assert post.job(at_once).state is State.SENT
    assert post.row(earlier).state is State.QUEUED
    clock.go_to(clock.at + DAY)
    assert post.job(earlier).state is State.SENT


@pytest.mark.parametrize("pause", [0.0, 0.004, 0.012, 0.03])
def test_rescheduling_while_it_is_released_either_holds_it_or_says_that_it_is_too_late(
    post: Any, clock: Any, context: Any, paid: Any, reschedule: Any, pause: float
) -> None:
    send = clock.at + DAY
    mailings = [post.open(Schedule(send=at(send))) for _ in range(3)]
    post.tick()
    clock.go_to(send)
    outcomes = {}
    begun = threading.Event()

    def release(mailing_id: int) -> None:
        begun.set()
        process(context, [mailing_id], Stage.CHECKOUT, RunBudget())

    for mailing_id in mailings:
        begun.clear()
        releasing = threading.Thread(target=release, args=(mailing_id,))
        releasing.start()
        begun.wait()
        threading.Event().wait(pause)
        outcomes[mailing_id] = reschedule(mailing_id, Schedule(send=at(send + DAY)))
        releasing.join()

    orders = {order["id"] for order in paid()}
    for mailing_id, outcome in outcomes.items():
        row = post.row(mailing_id)
        if outcome is RescheduleOutcome.RESCHEDULED:
            assert (row.state, row.not_before) == (State.QUEUED, send + DAY)
            assert row.order_id not in orders
        else:
            assert outcome in {RescheduleOutcome.BUSY, RescheduleOutcome.TOO_LATE}
            assert row.order_id in orders


def test_another_hold_date_at_the_vendor_is_quoted_and_approved_anew(
    post: Any, clock: Any, reschedule: Any
) -> None:
    today = clock.at.date()
    mailing_id = post.open(
        Schedule(hold_until=today + 40 * DAY, hold_mode=HoldMode.VENDOR), approval=Approval.REQUIRED
    )
    post.job(mailing_id)

    reschedule(mailing_id, Schedule(hold_until=today + 50 * DAY, hold_mode=HoldMode.VENDOR))

    assert post.row(mailing_id).stage is Stage.SUMMARIZE
    assert post.job(mailing_id).state is State.APPROVAL


def test_another_time_leaves_an_approval_waiting(post: Any, clock: Any, reschedule: Any) -> None:
    mailing_id = post.open(Schedule(send=at(clock.at + DAY)), approval=Approval.REQUIRED)
    post.job(mailing_id)
    later = clock.at + 5 * DAY

    assert reschedule(mailing_id, Schedule(send=at(later))) is RescheduleOutcome.RESCHEDULED

    assert post.row(mailing_id).state is State.APPROVAL
    post.approve(mailing_id)
    assert post.job(mailing_id).not_before == later


def test_a_missed_time_is_answered_with_another(post: Any, clock: Any, reschedule: Any) -> None:
    mailing_id = post.open(Schedule(send=at(clock.at + DAY)))
    post.tick()
    clock.go_to(clock.at + 4 * DAY)
    assert post.job(mailing_id).reason_code == ScheduleProblem.MISSED

    assert reschedule(mailing_id, Schedule(send=at(clock.at + DAY))) is RescheduleOutcome.RESCHEDULED

    clock.go_to(clock.at + DAY)
    assert post.job(mailing_id).state is State.SENT


def test_what_is_over_unknown_or_being_cancelled_is_not_rescheduled(
    post: Any, clock: Any, context: Any, reschedule: Any
) -> None:
    sent = post.open()
    post.job(sent)
    cancelled = post.open(Schedule(send=at(clock.at + DAY)))
    post.tick()
    with context.engine.begin() as connection:
        transitions.cancel(connection, cancelled, "tester", clock.at)
    later = Schedule(send=at(clock.at + 2 * DAY))

    assert reschedule(sent, later) is RescheduleOutcome.TOO_LATE
    assert reschedule(cancelled, later) is RescheduleOutcome.CANCELLING
    assert reschedule(10**9, later) is RescheduleOutcome.UNKNOWN
    post.job(cancelled)
    assert reschedule(cancelled, later) is RescheduleOutcome.ENDED


@pytest.mark.parametrize("state", [State.QUEUED, State.ATTENTION])
@pytest.mark.parametrize(
    ("unknown", "outcome"), [(True, RescheduleOutcome.TOO_LATE), (False, RescheduleOutcome.RESCHEDULED)]
)
def test_a_mailing_whose_checkout_is_unknown_is_not_rescheduled(
    post: Any,
    clock: Any,
    context: Any,
    reschedule: Any,
    state: State,
    outcome: RescheduleOutcome,
    *,
    unknown: bool,
) -> None:
    mailing_id = post.open(Schedule(send=at(clock.at + DAY)))
    post.tick()
    asks = {"reason": "late", "reason_code": ScheduleProblem.MISSED} if state is State.ATTENTION else {}
    unsure = {"recovering": True, "unsure_since": clock.at} if unknown else {}
    with context.engine.begin() as connection:
        connection.execute(
            update(Mailing).where(Mailing.id == mailing_id).values(state=state, **asks, **unsure)
        )
    before = post.row(mailing_id)

    assert before.stage is Stage.CHECKOUT
    assert reschedule(mailing_id, Schedule(send=at(clock.at + 5 * DAY))) is outcome
    assert (post.row(mailing_id) == before) is unknown
