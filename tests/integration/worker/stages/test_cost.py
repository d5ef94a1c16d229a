"""What one mailing costs, counted in things that do not depend on the machine. More of any is a step back."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from models import Stage, State
from worker.engine import pipeline
from worker.engine.run_budget import MESSAGE_BATCH_SIZE, RunBudget

# docs/performance.md tells what each of them is for.
COMMITS, STATEMENTS, CALLS = 6, 14, 6
COMMITS_TO_SETTLE, STATEMENTS_TO_SETTLE, CALLS_TO_SETTLE = 2, 5, 2


@pytest.fixture
def counted(hands: Any) -> Iterator[Counter[str]]:
    """Yield a count of the commits and statements on the desk's connections."""
    counts: Counter[str] = Counter()

    def commit(*_: object) -> None:
        counts["commits"] += 1

    def statement(*_: object) -> None:
        counts["statements"] += 1

    engine = hands.context.engine
    event.listen(engine, "commit", commit)
    event.listen(engine, "before_cursor_execute", statement)
    yield counts
    event.remove(engine, "commit", commit)
    event.remove(engine, "before_cursor_execute", statement)


def calls(hands: Any) -> int:
    told = hands.sandbox.ledger()["totals"]["calls"]
    return sum(one["arrived"] for one in told.values())


def test_from_nothing_to_its_payment_a_mailing_costs_this_much(
    hands: Any, new_mailing: Any, counted: Counter[str]
) -> None:
    mailing = new_mailing(1)
    before = calls(hands)
    counted.clear()

    pipeline.process(hands.context, [mailing], Stage.CREATE, RunBudget())

    spent = counted["commits"], counted["statements"], calls(hands) - before
    row = hands.pen.mailing(mailing)
    assert (row.stage, row.state) == (Stage.SETTLE, State.QUEUED)
    assert spent == (COMMITS, STATEMENTS, CALLS)


def test_eight_at_once_cost_what_one_costs_and_their_calls(
    hands: Any, new_mailing: Any, counted: Counter[str]
) -> None:
    mailings = [new_mailing(1, batch=n) for n in range(MESSAGE_BATCH_SIZE)]
    before = calls(hands)
    counted.clear()

    pipeline.process(hands.context, mailings, Stage.CREATE, RunBudget())

    spent = counted["commits"], counted["statements"], calls(hands) - before
    assert {hands.pen.mailing(one).stage for one in mailings} == {Stage.SETTLE}
    assert spent == (COMMITS, STATEMENTS, CALLS * MESSAGE_BATCH_SIZE)


def test_settling_many_costs_two_calls_and_two_commits_for_all(
    hands: Any, new_mailing: Any, counted: Counter[str]
) -> None:
    hands.sandbox.set(settleSeconds=0)
    mailings = [new_mailing(1, batch=n) for n in range(5)]
    for one in mailings:
        hands.deliver(one, stage=Stage.CREATE, ahead=True)
    hands.until(max(hands.pen.mailing(one).not_before for one in mailings))
    before = calls(hands)
    counted.clear()

    pipeline.settle(hands.context, mailings, RunBudget())

    spent = counted["commits"], counted["statements"], calls(hands) - before
    assert {hands.pen.mailing(one).state for one in mailings} == {State.SENT}
    assert spent == (COMMITS_TO_SETTLE, STATEMENTS_TO_SETTLE, CALLS_TO_SETTLE)
