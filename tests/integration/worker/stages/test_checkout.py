"""Checking out: paid once, at the price and for the people that were agreed, whatever became of the answers."""

from decimal import Decimal
from typing import Any

import pytest

from models import Approval, Stage, State
from worker import transitions

TOOK_EFFECT = ["cut_after", "truncate", "error_after"]
HAD_NONE = ["cut_before", "error_before", "refuse"]
NOBODY = "http://127.0.0.1:9/api"


@pytest.fixture
def ready(hands: Any) -> int:
    """Return a mailing that is about to be checked out."""
    mailing_id: int = hands.to(Stage.CHECKOUT)
    return mailing_id


def check_out_by_hand(hands: Any, order_id: int) -> None:
    """Do what somebody at LettrLabs' own pages might do."""
    hands.context.vendor.checkout(
        order_id, postage_type="Standard", production_speed="Normal", hold_until=None, auto_bill=True
    )


def test_an_order_is_checked_out_as_the_mailing_says(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT, postage="FirstClass", speed="ExpeditedFaster", auto_bill=False)

    row = hands.step(mailing_id)

    (checkout,) = sandbox.order()["checkouts"]
    assert (row.stage, row.state, row.order_status) == (Stage.SETTLE, State.QUEUED, "Payment Needed")
    assert (checkout["postageType"], checkout["productionSpeed"]) == ("FirstClass", "ExpeditedFaster")
    assert (checkout["autoBill"], checkout["holdUntilDate"]) == (False, None)


def test_the_first_look_at_the_payment_is_when_the_vendor_says(hands: Any, sandbox: Any, ready: int) -> None:
    sandbox.set(settleSeconds=400)

    row = hands.step(ready)

    assert row.not_before == row.wake_at
    assert (row.not_before - hands.clock.at).total_seconds() == 100


@pytest.mark.parametrize("fault", TOOK_EFFECT)
def test_a_lost_checkout_that_took_effect_is_found_and_not_repeated(
    hands: Any, sandbox: Any, ready: int, fault: str
) -> None:
    sandbox.fail("checkout", fault, count=1)

    unsure = hands.step(ready)
    found = hands.step(ready)

    assert (unsure.state, unsure.recovering) == (State.QUEUED, True)
    assert (found.stage, found.order_status) == (Stage.SETTLE, sandbox.order()["status"])
    assert hands.to_the_end(ready).state is State.SENT
    assert sandbox.calls("checkout") == len(sandbox.order()["charges"]) == 1


def test_a_lost_checkout_that_is_still_settling_is_left_to_settle(
    hands: Any, sandbox: Any, ready: int
) -> None:
    sandbox.set(settleSeconds=3600)
    sandbox.fail("checkout", "cut_after", count=1)
    hands.step(ready)

    row = hands.step(ready)

    assert (row.stage, row.order_status) == (Stage.SETTLE, "Payment Needed")
    assert hands.to_the_end(ready).state is State.SENT


@pytest.mark.parametrize("fault", HAD_NONE)
def test_a_lost_checkout_without_effect_is_sent_again_only_after_the_settlement_window(
    hands: Any, sandbox: Any, ready: int, fault: str
) -> None:
    sandbox.fail("checkout", fault, count=1)
    unsure = hands.step(ready)
    window = hands.context.settings.settlement_window_seconds

    waiting = hands.step(ready)
    assert waiting.recovering
    assert waiting.missing_since >= unsure.unsure_since
    hands.forward(window - 1)
    assert hands.deliver(ready).recovering
    assert sandbox.calls("checkout") == 1

    assert hands.to_the_end(ready).state is State.SENT
    assert sandbox.calls("checkout") == 2
    assert len(sandbox.order()["charges"]) == 1


def test_a_checkout_is_sent_again_twice_at_most_and_then_a_person_is_asked(
    hands: Any, sandbox: Any, ready: int
) -> None:
    sandbox.fail("checkout", "cut_before")

    row = hands.to_the_end(ready)

    assert (row.state, row.reason_code) == (State.ATTENTION, "checkout_unclear")
    assert sandbox.calls("checkout") == 3
    assert sandbox.order()["charges"] == []


def test_a_lost_checkout_that_was_charged_and_reads_as_a_draft_is_for_a_person(
    hands: Any, sandbox: Any, ready: int
) -> None:
    """No fault of the sandbox does this: the vendor's list lags behind its books, so the row is forged instead."""
    paid = hands.to(Stage.CHECKOUT)
    hands.to_the_end(paid)
    sandbox.fail("checkout", "cut_before", count=1)
    hands.step(ready)
    real = hands.context.vendor.transactions
    (charged,) = real([hands.pen.mailing(paid).order_id])
    order_id = hands.pen.mailing(ready).order_id
    moves = tuple(move.model_copy(update={"order_id": order_id}) for move in charged.transactions)
    monthly = (charged.model_copy(update={"order_id": order_id, "transactions": moves}),)
    assert moves
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lettrlabs.LettrLabs.transactions", lambda *_: monthly)
        row = hands.to_the_end(ready)

    assert (row.state, row.reason_code) == (State.ATTENTION, "checkout_unclear")
    assert sandbox.calls("checkout") == 2


def test_a_checkout_whose_worker_died_before_the_call_is_sent_after_the_window(
    hands: Any, sandbox: Any, ready: int
) -> None:
    hands.abandon(ready)

    assert hands.to_the_end(ready).state is State.SENT
    assert list(dict.fromkeys(hands.pen.moves(ready)[4:])) == [
        "steal",
        "wait",
        "run ahead",
        "advance",
        "send",
    ]
    assert sandbox.calls("checkout") == 1


def test_a_checkout_whose_worker_died_after_the_call_is_found(hands: Any, sandbox: Any, ready: int) -> None:
    check_out_by_hand(hands, hands.pen.mailing(ready).order_id)
    hands.abandon(ready)

    assert hands.deliver(ready).stage is Stage.SETTLE
    assert hands.to_the_end(ready).state is State.SENT
    assert sandbox.calls("checkout") == 1


def test_a_worker_that_waits_too_long_for_an_answer_finds_out_instead(
    hands: Any, sandbox: Any, ready: int
) -> None:
    sandbox.fail("checkout", "hang", count=1, applied=True)
    with hands.speaking_to(read=0.2) as impatient:
        impatient.step(ready)

    assert hands.to_the_end(ready).state is State.SENT
    assert sandbox.calls("checkout") == 1


def test_a_worker_that_was_taken_for_dead_pays_nothing_and_its_answer_is_on_record(
    hands: Any, sandbox: Any, ready: int
) -> None:
    with hands.while_calling(ready, "checkout"):
        hands.until(hands.pen.mailing(ready).lease_until)
        assert hands.deliver(ready).stage is Stage.SETTLE

    assert hands.to_the_end(ready).state is State.SENT
    assert sandbox.calls("checkout") == 1
    assert "accepted" in [call.outcome for call in hands.journal(ready) if call.operation == "checkout"]


def test_an_order_checked_out_by_somebody_else_is_refused_and_followed_to_its_end(
    hands: Any, sandbox: Any, ready: int
) -> None:
    sandbox.set(settleSeconds=600)
    check_out_by_hand(hands, hands.pen.mailing(ready).order_id)

    row = hands.step(ready)

    assert (row.stage, row.order_status) == (Stage.SETTLE, "Payment Needed")
    assert hands.to_the_end(ready).state is State.SENT
    assert len(sandbox.order()["charges"]) == 1


def test_a_vendor_that_is_away_costs_no_attempt_and_then_is_paid_once(
    hands: Any, sandbox: Any, ready: int
) -> None:
    with hands.speaking_to(NOBODY) as cut_off:
        assert cut_off.step(ready).attempts == 0
    sandbox.fail("checkout", "too_many", count=2, retryAfter=30)

    assert hands.to_the_end(ready).state is State.SENT
    assert "unsure" not in hands.pen.moves(ready)
    assert len(sandbox.order()["charges"]) == 1


def test_a_price_that_moved_is_paid_where_no_approval_is_required(
    hands: Any, sandbox: Any, ready: int
) -> None:
    agreed = hands.pen.mailing(ready).quoted
    sandbox.fail("summary", "requote", factor=2, count=1)

    row = hands.to_the_end(ready)

    assert row.state is State.SENT
    assert row.charged == row.quoted > agreed


def test_a_price_that_moved_after_the_approval_is_asked_about_again(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT, approval=Approval.REQUIRED)
    agreed = hands.pen.mailing(mailing_id).quoted
    approve(hands, mailing_id)
    sandbox.fail("summary", "requote", factor=2, count=1)

    asks = hands.to_the_end(mailing_id)

    assert (asks.state, asks.approved_at, asks.approved_by) == (State.APPROVAL, None, None)
    assert asks.quoted > agreed
    assert f"from {agreed:.2f} to {asks.quoted:.2f}" in asks.reason
    assert sandbox.calls("checkout") == 0
    approve(hands, mailing_id)
    assert hands.to_the_end(mailing_id).charged == asks.quoted


def approve(hands: Any, mailing_id: int) -> None:
    with hands.context.engine.begin() as connection:
        assert transitions.approve(connection, mailing_id, "Ada", hands.clock.at)


def test_people_who_changed_since_they_were_read_back_are_never_paid_for(
    hands: Any, sandbox: Any, ready: int, somebody: Any
) -> None:
    hands.context.vendor.append_recipients(hands.pen.mailing(ready).order_id, [somebody])

    row = hands.to_the_end(ready)

    assert (row.state, row.reason_code) == (State.ATTENTION, "recipients_changed")
    assert "holds 3 recipients, not the 2" in row.reason
    assert sandbox.calls("checkout") == 0


def test_an_order_that_somebody_emptied_is_never_paid_for(hands: Any, sandbox: Any, ready: int) -> None:
    people = [one["id"] for one in sandbox.order()["recipients"]]
    hands.context.vendor.delete_recipients(hands.pen.mailing(ready).order_id, people)

    row = hands.to_the_end(ready)

    assert (row.state, row.reason_code) == (State.ATTENTION, "recipients_changed")
    assert sandbox.calls("checkout") == 0


@pytest.mark.parametrize("unsure", [False, True])
def test_an_order_that_somebody_deleted_is_for_a_person(hands: Any, ready: int, *, unsure: bool) -> None:
    hands.context.vendor.delete_order(hands.pen.mailing(ready).order_id)
    if unsure:
        hands.abandon(ready)

    row = hands.to_the_end(ready)

    assert (row.state, row.reason_code) == (State.ATTENTION, "order_gone")


def test_a_pause_that_comes_while_the_price_is_verified_keeps_the_money_here(
    hands: Any, sandbox: Any, ready: int
) -> None:
    with hands.while_calling(ready, "summary"), hands.context.engine.begin() as connection:
        transitions.pause(connection, None, hands.clock.at)

    assert sandbox.calls("checkout") == 0
    with hands.context.engine.begin() as connection:
        transitions.unpause(connection, None, hands.clock.at, hands.context.redispatch_after)
    assert hands.to_the_end(ready).state is State.SENT
    assert sandbox.calls("checkout") == 1


def test_a_cancel_that_comes_while_the_price_is_verified_keeps_the_money_here(
    hands: Any, sandbox: Any, ready: int
) -> None:
    with hands.while_calling(ready, "summary"), hands.context.engine.begin() as connection:
        transitions.cancel(connection, ready, "Ada", hands.clock.at)

    assert hands.to_the_end(ready).state is State.CANCELLED
    assert sandbox.calls("checkout") == 0
    assert sandbox.orders() == []


def test_what_is_charged_is_what_was_quoted(hands: Any, sandbox: Any, ready: int) -> None:
    row = hands.to_the_end(ready)

    assert row.charged == row.quoted == Decimal(sandbox.order()["charges"][0]["amount"])
