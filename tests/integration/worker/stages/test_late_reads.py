"""A vendor whose reads lag behind its writes: what a read does not show is no evidence until a window has passed."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from lettrlabs.transport import Reply, Transport
from models import BudgetScope, Mailing, Outcome, Reservation, Stage, State
from worker import transitions
from worker.billing import budget_limits
from worker.engine import pipeline
from worker.engine.run_budget import RunBudget

LAGS = ["recipientsLagSeconds", "ordersLagSeconds", "statusLagSeconds", "transactionsLagSeconds"]
CHAIN = (Stage.CREATE, Stage.ATTACH, Stage.PROOF, Stage.SUMMARIZE, Stage.CHECKOUT)
_AT_ONCE = 8


def mailed(sandbox: Any) -> list[str]:
    """Return who is on a paid order, once for each piece."""
    orders = [order for order in sandbox.orders() if order["charges"]]
    return sorted(f"{order['id']} {one['firstName']}" for order in orders for one in order["recipients"])


def reserved(hands: Any) -> Decimal:
    with hands.context.engine.connect() as connection:
        return connection.scalar(select(func.coalesce(func.sum(Reservation.amount), 0)))


def show_order(sandbox: Any, order_id: int, status: str | None) -> None:
    """Have the vendor's support change an order's status."""
    sandbox._call("POST", f"orders/{order_id}", {"status": status})


@pytest.mark.parametrize("people", [1, 9])
def test_people_who_show_late_are_handed_over_once(hands: Any, sandbox: Any, people: int) -> None:
    sandbox.set(recipientsLagSeconds=3)

    row = hands.to_the_end(hands.new_mailing(people))

    assert row.state is State.SENT
    assert len(mailed(sandbox)) == len(set(mailed(sandbox))) == people
    assert (sandbox.calls("append_recipients"), sandbox.calls("delete_recipients")) == (1, 0)


@pytest.mark.parametrize("lag", LAGS)
def test_a_read_that_is_five_seconds_late_asks_no_person(hands: Any, sandbox: Any, lag: str) -> None:
    sandbox.set(**{lag: 5})

    row = hands.to_the_end(hands.new_mailing(3))

    assert (row.state, row.charged) == (State.SENT, row.quoted)
    assert "ask person" not in hands.pen.moves(row.id)


def settle_all(hands: Any, mailings: list[int]) -> None:
    """Do what comes next for each of many mailings as the due scan would, until all rest."""
    for _ in range(200):
        with hands.context.engine.connect() as connection:
            rows = connection.execute(
                select(Mailing.id, Mailing.stage, Mailing.not_before).where(
                    Mailing.id.in_(mailings), Mailing.state == State.QUEUED
                )
            ).all()
        if not rows:
            return
        hands.until(min(row.not_before for row in rows))
        for stage in Stage:
            due = [r.id for r in rows if r.stage is stage and r.not_before <= hands.clock.at]
            for start in range(0, len(due), _AT_ONCE):
                some = due[start : start + _AT_ONCE]
                if stage is Stage.SETTLE:
                    pipeline.settle(hands.context, some, RunBudget())
                else:
                    pipeline.process(hands.context, some, stage, RunBudget())
    raise AssertionError("some mailing does not come to rest")


@pytest.mark.parametrize("seconds", [2, 5])
def test_with_every_read_late_at_once_all_are_sent_and_each_person_once(
    hands: Any, sandbox: Any, seconds: int, a_person: Any
) -> None:
    sandbox.set(**dict.fromkeys(LAGS, seconds), settleSeconds=4)
    mailings = [hands.new_mailing([a_person(n, first_name=f"First{n}")]) for n in range(40)]

    settle_all(hands, mailings)

    rows = [hands.pen.mailing(one) for one in mailings]
    assert {row.state for row in rows} == {State.SENT}
    assert len(mailed(sandbox)) == len(set(mailed(sandbox))) == len(mailings)
    charges = [Decimal(str(one["amount"])) for order in sandbox.orders() for one in order["charges"]]
    assert sum(row.charged for row in rows) == sum(charges) == reserved(hands)
    assert all("ask person" not in hands.pen.moves(one) for one in mailings)


def test_a_late_status_lets_no_more_be_charged_than_the_budget_has(hands: Any, sandbox: Any) -> None:
    sandbox.set(statusLagSeconds=20, settleSeconds=1)
    price = hands.pen.mailing(hands.to(Stage.CHECKOUT)).quoted
    with hands.context.engine.begin() as connection:
        limit = {"total": 2 * price + Decimal("0.01")}
        budget_limits.set_limits(connection, BudgetScope.ACCOUNT, 0, limit, "a person", hands.clock.at)
    mailings = [hands.new_mailing(2) for _ in range(5)]

    settle_all(hands, mailings)

    charges = [one for order in sandbox.orders() for one in order["charges"]]
    states = [hands.pen.mailing(one).state for one in mailings]
    assert len(charges) == states.count(State.SENT) == 2
    assert states.count(State.APPROVAL) == 3
    with hands.context.engine.begin() as connection:
        budget_limits.set_limits(
            connection, BudgetScope.ACCOUNT, 0, {"total": None}, "a person", hands.clock.at
        )


def test_an_order_is_seen_empty_before_it_is_filled_anew(hands: Any, sandbox: Any) -> None:
    sandbox.set(recipientsLagSeconds=5)
    sandbox.fail("append_recipients", "partial", fraction=0.5, silent=True, count=1)

    row = hands.to_the_end(hands.new_mailing(4))

    assert (row.state, row.accepted) == (State.SENT, 4)
    assert len(set(mailed(sandbox))) == len(mailed(sandbox)) == 4


def test_nothing_is_taken_off_an_order_within_the_window(hands: Any, sandbox: Any) -> None:
    sandbox.fail("append_recipients", "partial", fraction=0.5, silent=True, count=1)
    mailing_id = hands.to(Stage.ATTACH, people=4)
    began = hands.clock.at

    while sandbox.calls("delete_recipients") == 0:
        hands.step(mailing_id)

    assert (hands.clock.at - began).total_seconds() >= hands.context.settings.visibility_window_seconds


@pytest.mark.parametrize("after", ["create", "attach", "checkout"])
def test_a_lost_answer_is_found_out_although_every_read_is_late(hands: Any, sandbox: Any, after: str) -> None:
    sandbox.set(**dict.fromkeys(LAGS, 20))
    call = {"create": "create_order", "attach": "append_recipients", "checkout": "checkout"}[after]
    sandbox.fail(call, "cut_after", count=1)

    row = hands.to_the_end(hands.new_mailing(2))

    assert row.state is State.SENT
    assert len(sandbox.orders()) == sandbox.calls(call) == 1
    assert len(set(mailed(sandbox))) == len(mailed(sandbox)) == 2


def test_people_taken_off_before_checkout_may_still_be_shown_for_a_while(
    hands: Any, sandbox: Any, a_person: Any
) -> None:
    mailing_id = hands.to(Stage.CHECKOUT, [a_person(0), a_person(1)])
    sandbox.set(recipientsLagSeconds=5)
    with hands.context.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE recipient SET outcome = 'suppressed' WHERE position = 1")

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.accepted) == (State.SENT, 1)
    assert len(mailed(sandbox)) == 1
    assert [one.outcome for one in hands.pen.recipients(mailing_id)] == [Outcome.ACCEPTED, Outcome.SUPPRESSED]


@pytest.mark.parametrize("fault", ["cut_after", "error_after"])
def test_a_deleted_draft_that_is_still_shown_ends_its_mailing(hands: Any, sandbox: Any, fault: str) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    sandbox.set(**dict.fromkeys(LAGS, 5))
    sandbox.fail("delete_order", fault, count=1)
    with hands.context.engine.begin() as connection:
        transitions.cancel(connection, mailing_id, "Ada", hands.clock.at)

    assert hands.to_the_end(mailing_id).state is State.CANCELLED
    assert sandbox.orders() == []


def test_a_declined_payment_keeps_its_money_reserved_for_a_settlement_window(
    hands: Any, sandbox: Any
) -> None:
    sandbox.fail("checkout", "decline", count=1)
    row = hands.pen.mailing(mailing_id := hands.to(Stage.SETTLE))
    checked_out = hands.clock.at

    while (row := hands.step(mailing_id)).state is State.QUEUED:
        assert reserved(hands) == row.quoted

    assert row.reason_code == "payment_failed"
    assert (hands.clock.at - checked_out).total_seconds() >= hands.context.settings.settlement_window_seconds
    assert reserved(hands) == 0


def test_an_unpaid_order_that_was_charged_gives_no_money_back(hands: Any, sandbox: Any) -> None:
    sandbox.set(settleSeconds=1)
    mailing_id = hands.to(Stage.SETTLE)
    hands.forward(10)
    show_order(sandbox, hands.pen.mailing(mailing_id).order_id, "Draft")

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "checkout_unclear")
    assert reserved(hands) == row.quoted


READS = {
    "recipients": "/recipients?",
    "proof": "/proof",
    "summary": "/checkout?",
    "order": "/order?",
    "transactions": "/transaction?",
}
REFUSALS = {
    "200 with errors": Reply(200, b'{"payload": null, "hasErrors": true, "errors": ["try later"]}', None),
    "an empty 404": Reply(404, b"", None),
}


def answer(patch: pytest.MonkeyPatch, path: str, reply: Reply, *, times: int = 10_000) -> None:
    """Have the vendor give this reply to the reads of a path."""
    left, real = [times], Transport.exchange

    def exchange(self: Transport, method: str, target: str, *rest: Any) -> Any:
        if method == "GET" and path in target and left[0] > 0:
            left[0] -= 1
            return reply
        return real(self, method, target, *rest)

    patch.setattr(Transport, "exchange", exchange)


@pytest.mark.parametrize("reply", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("path", READS.values(), ids=READS)
def test_a_read_refused_once_is_asked_again_before_a_person_is(
    hands: Any, monkeypatch: pytest.MonkeyPatch, path: str, reply: Reply
) -> None:
    mailing_id = hands.new_mailing(2)
    answer(monkeypatch, path, reply, times=1)

    row = hands.to_the_end(mailing_id)

    assert row.state is State.SENT
    assert "ask person" not in hands.pen.moves(row.id)


@pytest.mark.parametrize("reply", REFUSALS.values(), ids=REFUSALS)
def test_a_read_that_is_always_refused_is_for_a_person(
    hands: Any, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    mailing_id = hands.to(Stage.PROOF)
    answer(monkeypatch, "/proof", reply)

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "refused")


def test_the_first_look_at_a_payment_is_not_put_off_for_days(hands: Any, sandbox: Any) -> None:
    sandbox.set(settleSeconds=40_000_000)

    row = hands.pen.mailing(hands.to(Stage.SETTLE))

    assert (row.not_before - hands.clock.at).total_seconds() <= 300
