"""Every message delivered twice, at once, late and out of order: its work is done once."""

import random
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest

from models import Stage, State
from worker.engine.pipeline import ChainAction, RunBudget, process

AT_ONCE = 6
WORK = {
    Stage.CREATE: "create_order",
    Stage.ATTACH: "append_recipients",
    Stage.PROOF: "proof",
    Stage.SUMMARIZE: "summary",
    Stage.CHECKOUT: "checkout",
    Stage.SETTLE: "transactions",
}


def at_once(*jobs: Callable[[], object]) -> None:
    """Do everything at the same moment, each in a thread of its own."""
    barrier, trouble = Barrier(len(jobs)), []

    def run(job: Callable[[], object]) -> None:
        barrier.wait()
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - raised again below
            trouble.append(error)

    threads = [Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if trouble:
        raise trouble[0]


@pytest.mark.parametrize("stage", list(Stage))
def test_a_message_delivered_many_times_at_once_does_its_work_once(
    hands: Any, sandbox: Any, stage: Stage
) -> None:
    mailing_id = hands.to(stage)
    hands.until(hands.pen.mailing(mailing_id).not_before)
    hands.forward(5)
    asked = sandbox.calls(WORK[stage])
    moved = len(hands.pen.moves(mailing_id))

    at_once(*[lambda: hands.deliver(mailing_id, stage=stage)] * AT_ONCE)

    assert sandbox.calls(WORK[stage]) == asked + 1
    assert len(hands.pen.moves(mailing_id)) == moved + 1
    row = hands.pen.mailing(mailing_id)
    assert row.stage is not stage or row.state is State.SENT
    hands.deliver(mailing_id, stage=stage)
    assert sandbox.calls(WORK[stage]) == asked + 1
    assert hands.pen.mailing(mailing_id) == row


def test_a_whole_chain_delivered_many_times_at_once_makes_one_paid_order(hands: Any, sandbox: Any) -> None:
    mailings = [hands.new_mailing(3) for _ in range(2)]
    messages = [(one, stage) for one in mailings for stage in Stage for _ in range(3)]
    order = random.Random(5)  # noqa: S311 - only an order to try
    while any(hands.pen.mailing(one).state is not State.SENT for one in mailings):
        order.shuffle(messages)
        hands.forward(10)
        at_once(
            *(
                lambda mine=messages[start::8]: [hands.deliver(one, stage=stage) for one, stage in mine]
                for start in range(8)
            )
        )

    ledger = sandbox.ledger()
    assert ledger["totals"]["created"] == ledger["totals"]["paid"] == ledger["totals"]["charges"] == 2
    assert len(ledger["orders"][0]["recipients"]) == len(ledger["orders"][1]["recipients"]) == 3


@pytest.mark.parametrize("stage", list(Stage))
def test_a_message_for_a_stage_that_is_past_or_not_yet_reached_does_nothing(
    hands: Any, sandbox: Any, stage: Stage
) -> None:
    mailing_id = hands.to(stage)
    hands.until(hands.pen.mailing(mailing_id).not_before)
    before, asked = hands.pen.mailing(mailing_id), sandbox.ledger()["totals"]["calls"]

    for other in Stage:
        if other is not stage:
            assert process(hands.context, [mailing_id], other, RunBudget()) is ChainAction.GO_ON

    assert hands.pen.mailing(mailing_id) == before
    assert sandbox.ledger()["totals"]["calls"] == asked


def test_a_message_for_a_mailing_that_is_not_there_does_nothing(hands: Any) -> None:
    assert process(hands.context, [10**12], Stage.CREATE, RunBudget()) is ChainAction.GO_ON


def test_a_worker_that_keeps_pace_does_all_stages_at_one_message(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.new_mailing()

    row = hands.deliver(mailing_id, ahead=True)

    assert row.stage is Stage.SETTLE
    assert hands.pen.moves(mailing_id) == ["run ahead"] * 4 + ["advance"]
    assert sandbox.calls("checkout") == 1


def test_a_worker_that_is_told_to_stop_ends_its_stage_and_leaves_the_rest(hands: Any) -> None:
    mailing_id = hands.new_mailing()

    said = process(hands.context, [mailing_id], Stage.CREATE, RunBudget(stopping=True))

    row = hands.pen.mailing(mailing_id)
    assert said is ChainAction.GO_ON
    assert (row.stage, row.state, row.claim) == (Stage.ATTACH, State.QUEUED, None)
    assert row.wake_at == hands.clock.at + hands.context.redispatch_after
