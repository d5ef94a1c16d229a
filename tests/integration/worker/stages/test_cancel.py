"""Cancelling: in every state before checkout nothing is left at the vendor; after it, it is plainly too late."""

from typing import Any

import pytest

from models import Approval, Stage, State
from worker import transitions
from worker.transitions import CancelOutcome

BEFORE_CHECKOUT = [Stage.ATTACH, Stage.PROOF, Stage.SUMMARIZE, Stage.CHECKOUT]


def cancel(hands: Any, mailing_id: int) -> CancelOutcome:
    with hands.context.engine.begin() as connection:
        return transitions.cancel(connection, mailing_id, "Ada", hands.clock.at)


def assert_gone_without_trace(hands: Any, sandbox: Any, mailing_id: int) -> None:
    row = hands.to_the_end(mailing_id)
    assert (row.state, row.wake_at) == (State.CANCELLED, None)
    assert sandbox.orders() == []
    assert sandbox.calls("checkout") == 0


def test_a_mailing_not_yet_begun_is_cancelled_at_once(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.new_mailing()

    assert cancel(hands, mailing_id) is CancelOutcome.CANCELLED

    assert hands.pen.mailing(mailing_id).state is State.CANCELLED
    hands.deliver(mailing_id)
    assert sandbox.calls("create_order") == 0


@pytest.mark.parametrize("stage", BEFORE_CHECKOUT)
def test_a_mailing_with_a_draft_is_cancelled_and_the_draft_deleted(
    hands: Any, sandbox: Any, stage: Stage
) -> None:
    mailing_id = hands.to(stage)

    assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    assert hands.pen.mailing(mailing_id).wake_at == hands.clock.at
    assert_gone_without_trace(hands, sandbox, mailing_id)


def test_a_mailing_that_waits_for_approval_is_cancelled(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT, approval=Approval.REQUIRED)

    assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    assert_gone_without_trace(hands, sandbox, mailing_id)


@pytest.mark.parametrize("stage", [Stage.ATTACH, Stage.CHECKOUT])
def test_a_mailing_that_needs_attention_is_cancelled(
    hands: Any, sandbox: Any, stage: Stage, somebody: Any
) -> None:
    mailing_id = hands.to(stage)
    if stage is Stage.ATTACH:
        sandbox.fail("append_recipients", "partial", silent=True)
    else:
        hands.context.vendor.append_recipients(hands.pen.mailing(mailing_id).order_id, [somebody])
    assert hands.to_the_end(mailing_id).state is State.ATTENTION

    assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    assert_gone_without_trace(hands, sandbox, mailing_id)


def test_a_mailing_whose_payment_failed_is_cancelled(hands: Any, sandbox: Any) -> None:
    sandbox.fail("checkout", "decline")
    mailing_id = hands.to(Stage.CHECKOUT)
    assert hands.to_the_end(mailing_id).reason_code == "payment_failed"

    assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    assert hands.to_the_end(mailing_id).state is State.CANCELLED
    assert sandbox.orders() == []


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_a_mailing_whose_create_was_lost_is_found_out_before_it_is_cancelled(
    hands: Any, sandbox: Any, fault: str
) -> None:
    sandbox.fail("create_order", fault, count=1)
    mailing_id = hands.new_mailing()
    hands.step(mailing_id)

    assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    assert_gone_without_trace(hands, sandbox, mailing_id)
    assert sandbox.calls("create_order") == 1


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_a_mailing_whose_page_was_lost_is_cancelled_and_the_draft_deleted(
    hands: Any, sandbox: Any, fault: str
) -> None:
    mailing_id = hands.to(Stage.ATTACH)
    sandbox.fail("append_recipients", fault, count=1)
    hands.step(mailing_id)

    assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    assert_gone_without_trace(hands, sandbox, mailing_id)


def test_a_cancel_during_a_lost_checkout_that_took_effect_is_too_late(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    sandbox.fail("checkout", "cut_after", count=1)
    hands.step(mailing_id)

    assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    row = hands.to_the_end(mailing_id)
    assert (row.state, row.cancel_requested) == (State.SENT, False)
    assert len(sandbox.order()["charges"]) == 1


def test_a_cancel_during_a_lost_checkout_without_effect_is_carried_out(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    sandbox.fail("checkout", "cut_before", count=1)
    hands.step(mailing_id)

    assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    row = hands.to_the_end(mailing_id)
    assert row.state is State.CANCELLED
    assert sandbox.orders() == []
    assert sandbox.calls("checkout") == 1


@pytest.mark.parametrize(
    ("stage", "endpoint"),
    [
        (Stage.CREATE, "create_order"),
        (Stage.ATTACH, "append_recipients"),
        (Stage.PROOF, "proof"),
        (Stage.SUMMARIZE, "summary"),
        (Stage.CHECKOUT, "summary"),
    ],
)
def test_a_cancel_while_a_worker_is_at_it_is_carried_out_before_its_next_write(
    hands: Any, sandbox: Any, stage: Stage, endpoint: str
) -> None:
    mailing_id = hands.to(stage)

    with hands.while_calling(mailing_id, endpoint):
        assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED
        assert hands.pen.mailing(mailing_id).state is State.WORKING

    assert_gone_without_trace(hands, sandbox, mailing_id)


@pytest.mark.parametrize(
    "fault", ["cut_before", "cut_after", "truncate", "error_before", "error_after", "too_many"]
)
def test_the_deletion_of_the_draft_is_asked_for_until_it_is_known(
    hands: Any, sandbox: Any, fault: str
) -> None:
    mailing_id = hands.to(Stage.SUMMARIZE)
    sandbox.fail("delete_order", fault, count=2)
    cancel(hands, mailing_id)

    assert_gone_without_trace(hands, sandbox, mailing_id)


def test_a_draft_that_somebody_deleted_already_is_no_trouble(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.SUMMARIZE)
    hands.context.vendor.delete_order(hands.pen.mailing(mailing_id).order_id)
    cancel(hands, mailing_id)

    assert_gone_without_trace(hands, sandbox, mailing_id)


def test_an_order_that_somebody_checked_out_is_followed_to_its_end_instead(hands: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    order = hands.pen.mailing(mailing_id).order_id
    hands.context.vendor.checkout(
        order, postage_type="Standard", production_speed="Normal", hold_until=None, auto_bill=True
    )

    assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    row = hands.to_the_end(mailing_id)
    assert (row.state, row.cancel_requested) == (State.SENT, False)


def test_after_checkout_it_is_too_late(hands: Any, sandbox: Any) -> None:
    sandbox.set(settleSeconds=600)
    mailing_id = hands.to(Stage.SETTLE)
    before = hands.pen.mailing(mailing_id)

    assert cancel(hands, mailing_id) is CancelOutcome.TOO_LATE

    assert hands.pen.mailing(mailing_id) == before
    assert hands.to_the_end(mailing_id).state is State.SENT
    assert cancel(hands, mailing_id) is CancelOutcome.TOO_LATE


def test_cancelling_twice_says_that_it_is_over(hands: Any) -> None:
    mailing_id = hands.new_mailing()
    cancel(hands, mailing_id)

    assert cancel(hands, mailing_id) is CancelOutcome.ENDED
    assert cancel(hands, mailing_id + 1000) is CancelOutcome.UNKNOWN


def test_a_paused_mailing_is_cancelled_once_the_pause_is_over(
    hands: Any, sandbox: Any, campaign: int
) -> None:
    mailing_id = hands.to(Stage.PROOF, campaign_id=campaign, batch=0)
    with hands.context.engine.begin() as connection:
        transitions.pause(connection, campaign, hands.clock.at)
    cancel(hands, mailing_id)
    hands.step(mailing_id)
    assert len(sandbox.orders()) == 1

    with hands.context.engine.begin() as connection:
        transitions.unpause(connection, campaign, hands.clock.at, hands.context.redispatch_after)

    assert_gone_without_trace(hands, sandbox, mailing_id)


def test_a_cancel_between_two_pages_sends_no_third_and_deletes_the_draft(
    hands: Any, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.stages.recipient_pages.MAX_RECIPIENTS", 2)
    mailing_id = hands.to(Stage.ATTACH, people=5)
    with hands.while_calling(mailing_id, "append_recipients", after=1):
        assert cancel(hands, mailing_id) is CancelOutcome.REQUESTED

    row = hands.to_the_end(mailing_id)

    assert row.state is State.CANCELLED
    assert sandbox.calls("append_recipients") == 2
    assert sandbox.orders() == []


def test_whether_an_order_is_gone_is_asked_again_before_a_person_is(hands: Any, sandbox: Any) -> None:
    mailing = hands.to(Stage.ATTACH)
    hands.context.vendor.delete_order(hands.pen.mailing(mailing).order_id)
    hands.abandon(mailing)
    hands.pen.forge(mailing, cancel_requested=True)
    sandbox.fail("list_orders", "cut_before", count=3)

    row = hands.deliver(mailing)

    assert row.state is State.QUEUED
    assert "could not be reached" in row.reason
    assert hands.to_the_end(mailing).state is State.CANCELLED
