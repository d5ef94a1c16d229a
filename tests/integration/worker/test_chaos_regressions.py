"""What the chaos run found, each case in its smallest form."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from models import CreateGate, Mailing, Priority, Stage, State
from worker import transitions
from worker.celery import TICKS, build
from worker.context import WorkerContext
from worker.engine.pipeline import RunBudget, process
from worker.settings import Settings


@pytest.fixture
def broker(settings: Settings, redis_url: str, broker_prefix: str) -> Any:
    app = build(settings.model_copy(update={"redis_url": redis_url, "broker_prefix": broker_prefix}))
    yield app
    app.close()


def _waiting(broker: Any) -> int:
    with broker.connection_for_read() as connection:
        return int(connection.default_channel.queue_declare(queue=TICKS).message_count)


def test_a_pile_of_old_ticks_is_cleared_by_the_first_and_keeps_nobody_waiting(
    broker: Any,
    sandbox: Any,
    worker_process: Any,
    new_mailing: Any,
    pen: Any,
    eventually: Any,
) -> None:
    tick = broker.conf.beat_schedule["dispatch"]
    for _ in range(200):
        broker.send_task(tick["task"], **tick.get("options", {}))
    mailing = new_mailing()

    worker_process(sandbox.env)

    eventually(lambda: pen.mailing(mailing).stage is Stage.SETTLE)
    eventually(lambda: _waiting(broker) == 0)


def test_a_tick_that_waited_for_a_worker_is_still_worth_something(broker: Any) -> None:
    # With two beats and a slow worker, ticks that expire would all have expired when their turn came.
    assert "expires" not in broker.conf.beat_schedule["dispatch"].get("options", {})


def test_the_gate_goes_closed_from_one_lost_create_to_the_next_and_opens_after_the_last(
    context: WorkerContext, clock: Any, sandbox: Any, new_mailing: Any, pen: Any
) -> None:
    # Opened in between, each of many lost creates waited anew for the creates begun meanwhile.
    one_step = RunBudget(stopping=True)
    sandbox.fail("create_order", "cut_after", count=2)
    first, second, newcomer = new_mailing(), new_mailing(), new_mailing()
    for lost in (first, second):
        process(context, [lost], Stage.CREATE, one_step)
    clock.at = max(pen.mailing(lost).not_before for lost in (first, second))

    process(context, [first], Stage.CREATE, one_step)
    process(context, [newcomer], Stage.CREATE, one_step)

    assert pen.mailing(first).stage is Stage.ATTACH
    assert (pen.mailing(newcomer).stage, pen.mailing(newcomer).state) == (Stage.CREATE, State.QUEUED)

    process(context, [second], Stage.CREATE, one_step)
    process(context, [newcomer], Stage.CREATE, one_step)

    assert pen.mailing(second).stage is Stage.ATTACH
    assert pen.mailing(newcomer).stage is Stage.ATTACH


def test_a_gate_kept_for_a_lost_create_that_does_not_come_opens_by_itself(
    context: WorkerContext, clock: Any, sandbox: Any, new_mailing: Any, pen: Any
) -> None:
    one_step = RunBudget(stopping=True)
    sandbox.fail("create_order", "cut_after", count=2)
    first, second, newcomer = new_mailing(), new_mailing(), new_mailing()
    for lost in (first, second):
        process(context, [lost], Stage.CREATE, one_step)
    clock.at = max(pen.mailing(lost).not_before for lost in (first, second))
    process(context, [first], Stage.CREATE, one_step)

    clock.forward(5)
    process(context, [newcomer], Stage.CREATE, one_step)

    assert pen.mailing(newcomer).stage is Stage.ATTACH


def test_new_creates_are_not_pushed_while_the_gate_is_closed_and_lost_ones_are(
    engine: Engine, clock: Any, new_mailing: Any, pen: Any
) -> None:
    # Their messages, each refused, stood before those of the lost creates that the gate waited for.
    now, again = clock(), timedelta(seconds=60)
    newcomer, lost, later = new_mailing(), new_mailing(), new_mailing()
    pen.forge(lost, recovering=True, unsure_since=now)
    pen.forge(later, stage=Stage.ATTACH, order_id=1)
    with engine.begin() as connection:
        connection.execute(update(CreateGate).values(holder=lost, closed_until=now + timedelta(seconds=1)))

        pushed = transitions.wake_due(connection, Priority.CAMPAIGN, now, 100, again)

        assert {due.id for due in pushed} == {lost, later}
        connection.execute(update(CreateGate).values(holder=None, closed_until=now))
        transitions.wake_recently_dispatched(connection, now, again, Mailing.stage == Stage.CREATE)
        pushed = transitions.wake_due(connection, Priority.CAMPAIGN, now, 100, again)
        assert newcomer in {due.id for due in pushed}
