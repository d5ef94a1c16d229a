"""Settling several mailings with one look at their orders."""

from typing import Any

from models import Stage, State
from worker.engine import pipeline
from worker.engine.pipeline import RunBudget


def settle(hands: Any, mailings: list[int], on: Any = None) -> list[Any]:
    """Look at the payments of these mailings when that is due; return their rows."""
    hands.until(max(hands.pen.mailing(one).not_before for one in mailings))
    pipeline.settle((on or hands).context, mailings, RunBudget())
    return [hands.pen.mailing(one) for one in mailings]


def settling(hands: Any, count: int) -> list[int]:
    hands.sandbox.set(settleSeconds=0)
    return [hands.to(Stage.SETTLE, batch=n) for n in range(count)]


def test_twelve_payments_that_went_through_cost_two_calls(hands: Any, sandbox: Any) -> None:
    mailings = settling(hands, 12)
    before = sum(sandbox.calls(name) for name in ("list_orders", "transactions"))

    rows = settle(hands, mailings)

    assert {row.state for row in rows} == {State.SENT}
    assert all(row.charged == row.quoted for row in rows)
    assert sum(sandbox.calls(name) for name in ("list_orders", "transactions")) == before + 2


def test_each_journal_tells_of_its_own_order_and_of_no_other(hands: Any) -> None:
    mailings = settling(hands, 3)

    rows = settle(hands, mailings)

    for row in rows:
        told = [one for one in hands.journal(row.id) if one.stage == Stage.SETTLE]
        assert [one.operation for one in told] == ["orders", "transactions"]
        assert all(one.order_id == row.order_id for one in told)
        assert all(one.request == {"id": row.order_id, "together": 3} for one in told)
        assert told[0].answer == {"order_status": row.order_status}


def test_each_payment_ends_as_it_went(hands: Any, sandbox: Any) -> None:
    sandbox.fail("checkout", "decline", count=1)
    declined, paid = settling(hands, 2)
    sandbox.set(settleSeconds=3600)
    waiting = hands.to(Stage.SETTLE, batch=2)

    rows = settle(hands, [declined, paid, waiting])

    assert [row.state for row in rows] == [State.QUEUED, State.SENT, State.QUEUED]
    assert hands.to_the_end(declined).reason_code == "payment_failed"
    assert rows[2].reason == "the payment is settling"


def test_while_the_vendor_is_away_all_wait_and_it_is_asked_no_more_often_for_being_many(
    hands: Any, sandbox: Any
) -> None:
    mailings = settling(hands, 4)
    sandbox.fail("list_orders", "error_before", status=503)
    before = sandbox.calls("list_orders")

    rows = settle(hands, mailings)

    assert {row.state for row in rows} == {State.QUEUED}
    assert all("could not be reached" in row.reason for row in rows)
    assert all(row.attempts == 0 for row in rows)
    assert sandbox.calls("list_orders") == before + 3


def test_an_answer_for_all_that_cannot_be_read_has_each_asked_for_by_itself(hands: Any, sandbox: Any) -> None:
    mailings = settling(hands, 2)
    sandbox.fail("transactions", "truncate", count=3)

    rows = settle(hands, mailings)

    assert {row.state for row in rows} <= {State.SENT, State.QUEUED}
    rows = [hands.to_the_end(one) for one in mailings]
    assert {row.state for row in rows} == {State.SENT}


def test_an_order_that_is_gone_does_not_keep_the_others(hands: Any) -> None:
    mailings = settling(hands, 3)
    hands.pen.forge(mailings[1], order_id=4_000_000)

    rows = settle(hands, mailings)

    assert [row.state for row in rows] == [State.SENT, State.QUEUED, State.SENT]
    assert hands.to_the_end(mailings[1]).reason_code == "order_gone"


def test_what_another_has_meanwhile_is_left_to_it(hands: Any) -> None:
    mine, taken = settling(hands, 2)
    hands.abandon(taken)
    hands.pen.forge(taken, lease_until=hands.clock.at.replace(year=2100))

    rows = settle(hands, [mine, taken])

    assert [row.state for row in rows] == [State.SENT, State.WORKING]
