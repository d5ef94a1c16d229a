"""What each status of an order means for its payment: only two say that a checkout took effect."""

from typing import Any

import pytest

from models import Stage, State
from tests.integration.worker.stages.test_late_reads import show_order
from worker import transitions
from worker.transitions import Resolution

ENDS = ["Cancelled", "Refunded", "Error"]


def resolve(hands: Any, mailing_id: int, way: Resolution) -> None:
    with hands.context.engine.begin() as connection:
        assert transitions.resolve(connection, mailing_id, way, "Ada", "edited", hands.clock.at)


@pytest.mark.parametrize("unsure", [False, True])
def test_edits_needed_before_checkout_waits_for_a_person_and_then_goes_on(
    hands: Any, sandbox: Any, *, unsure: bool
) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    order_id = hands.pen.mailing(mailing_id).order_id
    show_order(sandbox, order_id, "Edits Needed")
    if unsure:
        hands.abandon(mailing_id)

    row = hands.to_the_end(mailing_id)

    assert (row.stage, row.state, row.reason_code) == (Stage.CHECKOUT, State.ATTENTION, "edits_needed")
    assert "edit it there, then --retry" in row.reason
    assert sandbox.order()["charges"] == []
    show_order(sandbox, order_id, None)
    resolve(hands, mailing_id, Resolution.RETRY)
    assert hands.to_the_end(mailing_id).state is State.SENT


def test_edits_needed_after_checkout_is_paid_again_once_edited(hands: Any, sandbox: Any) -> None:
    sandbox.fail("checkout", "decline", count=1)
    mailing_id = hands.to(Stage.SETTLE)
    order_id = hands.pen.mailing(mailing_id).order_id
    show_order(sandbox, order_id, "Edits Needed")

    row = hands.to_the_end(mailing_id)

    assert (row.stage, row.state, row.reason_code) == (Stage.SETTLE, State.ATTENTION, "edits_needed")
    assert "--pay-again" in row.reason
    show_order(sandbox, order_id, None)
    resolve(hands, mailing_id, Resolution.PAY_AGAIN)
    assert hands.to_the_end(mailing_id).state is State.SENT
    assert len(sandbox.order()["charges"]) == 1


@pytest.mark.parametrize("status", [*ENDS, "Deleted", "On Hold"])
@pytest.mark.parametrize("stage", [Stage.CHECKOUT, Stage.SETTLE])
def test_a_status_that_tells_of_no_payment_is_never_taken_for_one(
    hands: Any, sandbox: Any, stage: Stage, status: str
) -> None:
    sandbox.set(settleSeconds=100_000)
    mailing_id = hands.to(stage)
    show_order(sandbox, hands.pen.mailing(mailing_id).order_id, status)
    if stage is Stage.CHECKOUT:
        hands.abandon(mailing_id)

    row = hands.to_the_end(mailing_id)

    assert (row.stage, row.state) == (stage, State.ATTENTION)
    assert row.reason_code == ("order_gone" if status == "Deleted" else "unexpected_status")


@pytest.mark.parametrize("status", ["On Hold", "Draft", "Edits Needed"])
def test_a_status_of_a_moment_after_checkout_is_looked_at_again(
    hands: Any, sandbox: Any, status: str
) -> None:
    sandbox.set(settleSeconds=1)
    mailing_id = hands.to(Stage.SETTLE)
    order_id = hands.pen.mailing(mailing_id).order_id
    show_order(sandbox, order_id, status)
    assert hands.step(mailing_id).state is State.QUEUED

    show_order(sandbox, order_id, None)

    assert hands.to_the_end(mailing_id).state is State.SENT
