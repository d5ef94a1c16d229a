"""A vendor that takes its time: several mailings of a message wait for it together."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from lettrlabs import CallRecord, Outcome
from models import Stage, State
from tests.integration.worker.stages.test_abreast import deliver, rows, slow
from worker.context import CALL_POOL_SIZE, MESSAGE_THREADS
from worker.engine.pipeline import ChainAction
from worker.engine.run_budget import MESSAGE_BATCH_SIZE, RunBudget


def called(milliseconds: int, status: int | None = 200) -> CallRecord:
    """Return a call that took so long."""
    return CallRecord(
        operation="summary",
        method="GET",
        path="/",
        request={},
        started_at=datetime(2026, 6, 1, tzinfo=UTC),
        elapsed_ms=milliseconds,
        status=status,
        outcome=Outcome.READ,
        request_id=None,
        words=None,
        reason_code=None,
        order_id=None,
    )


def test_a_vendor_is_slow_once_all_but_one_of_the_last_calls_were() -> None:
    pace = RunBudget()
    pace.took([called(300)] * 7)
    assert not pace.is_slow
    pace.took([called(5)])
    assert pace.is_slow
    pace.took([called(5)])
    assert not pace.is_slow


def test_a_call_that_nobody_answered_tells_nothing_of_the_pace() -> None:
    pace = RunBudget()
    pace.took([called(300)] * 8)

    pace.took([called(0, status=None)] * 8)

    assert pace.is_slow


def test_a_slow_vendor_is_asked_for_several_at_the_same_time(hands: Any, sandbox: Any, several: Any) -> None:
    mailings = several(MESSAGE_BATCH_SIZE)
    sandbox.fail("create_order", "slow", seconds=0.3, applied=True)
    began = time.monotonic()

    deliver(hands, mailings, pace=slow(0))

    assert time.monotonic() - began < 0.3 * MESSAGE_BATCH_SIZE
    found = rows(hands, mailings)
    assert {row.state for row in found} == {State.QUEUED}
    assert {row.order_id for row in found if row.stage is Stage.ATTACH} == {
        one["id"] for one in sandbox.orders()
    }


def test_with_a_slow_vendor_each_becomes_one_paid_order_as_well(
    hands: Any, sandbox: Any, several: Any
) -> None:
    mailings = several(MESSAGE_BATCH_SIZE)

    said = deliver(hands, mailings, pace=slow())

    assert said is ChainAction.NOTHING
    assert {(row.stage, row.state) for row in rows(hands, mailings)} == {(Stage.SETTLE, State.QUEUED)}
    assert {hands.to_the_end(one).state for one in mailings} == {State.SENT}
    assert sandbox.calls("checkout") == sandbox.calls("create_order") == MESSAGE_BATCH_SIZE


def test_what_a_slow_vendor_leaves_no_time_for_is_given_back(hands: Any, sandbox: Any, several: Any) -> None:
    mailings = several(MESSAGE_BATCH_SIZE)

    said = deliver(hands, mailings, pace=slow(0))

    assert said is ChainAction.GO_ON
    found = rows(hands, mailings)
    begun = [row for row in found if row.stage is Stage.ATTACH]
    assert len(begun) == sandbox.calls("create_order") == CALL_POOL_SIZE * 2 // MESSAGE_THREADS
    assert all(row.state is State.QUEUED and row.attempts == 0 for row in found)
    assert all(row.wake_at <= hands.clock.at for row in found if row.stage is Stage.CREATE)


def test_while_a_slow_vendor_lists_an_order_it_is_asked_for_its_price(hands: Any, sandbox: Any) -> None:
    mailing = hands.new_mailing(2)
    sandbox.fail("append_recipients", "slow", seconds=0.2, count=1, applied=True)
    sandbox.fail("list_recipients", "slow", seconds=0.2, count=1)

    deliver(hands, [mailing])

    assert hands.pen.mailing(mailing).stage is Stage.SETTLE
    assert sandbox.calls("summary") == sandbox.calls("list_recipients") == 1
    calls = {call.operation: call for call in hands.journal(mailing)}
    listed = calls["list_recipients"]
    assert calls["summary"].started_at < listed.started_at + timedelta(milliseconds=listed.elapsed_ms)
