from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Row

from models import Stage, State
from worker import transitions
from worker.context import WorkerContext
from worker.engine.pipeline import ChainAction, RunBudget, process
from worker.orphans import finder
from worker.periodic import orphan_sweep


def test_a_mailing_becomes_one_paid_order(
    new_mailing: Any, finish: Callable[[int], Row[Any]], sandbox: Any, pen: Any
) -> None:
    sandbox.set(settleSeconds=0)
    mailing_id = new_mailing(people=3)

    row = finish(mailing_id)

    assert row.state is State.SENT, pen.moves(mailing_id)
    assert row.charged == row.quoted
    totals = sandbox.ledger()["totals"]
    assert (totals["created"], totals["paid"], totals["pieces"], totals["charges"]) == (1, 1, 3, 1)


def test_a_worker_that_is_stopping_leaves_the_next_stage_to_the_next_message(
    new_mailing: Any, context: WorkerContext, pen: Any
) -> None:
    mailing_id = new_mailing()

    assert process(context, [mailing_id], Stage.CREATE, RunBudget(stopping=True)) is ChainAction.GO_ON

    row = pen.mailing(mailing_id)
    assert (row.stage, row.state, row.claim) == (Stage.ATTACH, State.QUEUED, None)


@pytest.mark.parametrize("stage", [Stage.CREATE, Stage.ATTACH, Stage.CHECKOUT])
def test_a_worker_that_was_frozen_until_others_took_over_notices_before_it_writes(
    new_mailing: Any, context: WorkerContext, clock: Any, sandbox: Any, stage: Stage
) -> None:
    mailing_id = new_mailing()
    for before in list(Stage)[: list(Stage).index(stage)]:
        process(context, [mailing_id], before, RunBudget(stopping=True))
    orders_before = sandbox.ledger()["totals"]["calls"]
    frozen = PausedWorkerClock(context, clock, mailing_id, stage)

    process(replace(context, clock=frozen), [mailing_id], stage, RunBudget())

    assert frozen.taken_over
    written = {"create_order", "append_recipients", "checkout"}
    calls = sandbox.ledger()["totals"]["calls"]
    assert {one: calls.get(one) for one in written} == {one: orders_before.get(one) for one in written}


class PausedWorkerClock:
    """A clock by which a long time passes after the claim, in which another worker claims the mailing."""

    def __init__(self, context: WorkerContext, clock: Any, mailing_id: int, stage: Stage) -> None:
        self.context, self.clock, self.mailing_id, self.stage = context, clock, mailing_id, stage
        self.taken_over = False
        self.looks = 0

    def __call__(self) -> datetime:
        self.looks += 1
        if self.looks > 1 and not self.taken_over:
            self.taken_over = True
            self.clock.forward(3600)
            with self.context.engine.begin() as connection:
                args = (self.mailing_id, self.stage, self.clock(), self.context.lease)
                assert transitions.claim(connection, *args) is not None
        return self.clock()


def test_a_cancelled_order_that_is_gone_already_asks_nobody(
    new_mailing: Any, context: WorkerContext, pen: Any, clock: Any, finish: Callable[[int], Row[Any]]
) -> None:
    mailing_id = new_mailing()
    for stage in list(Stage)[:4]:
        process(context, [mailing_id], stage, RunBudget(stopping=True))
    order_id = pen.mailing(mailing_id).order_id
    assert context.vendor.delete_order(order_id)
    pen.forge(mailing_id, cancel_requested=True, recovering=True, unsure_since=clock())

    assert finish(mailing_id).state is State.CANCELLED


def test_a_draft_that_goes_while_strays_are_looked_for_is_none(context: WorkerContext, clock: Any) -> None:
    kept, gone = (context.vendor.create_order(1001).value for _ in range(2))  # type: ignore[union-attr]

    class Listed:
        """The vendor as it was when it listed the drafts: one of them is deleted since."""

        def __getattr__(self, name: str) -> Any:
            return getattr(context.vendor, name)

        def iter_orders(self, **asked: Any) -> list[Any]:
            drafts = list(context.vendor.iter_orders(**asked))
            context.vendor.delete_order(gone)
            return drafts

    assert finder.find_orphans(orphan_sweep.SweepRun(context.engine, Listed(), clock())).empty == [kept]  # type: ignore[arg-type]
