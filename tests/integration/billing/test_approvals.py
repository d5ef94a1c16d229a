"""Who agreed to what, and that nothing else is paid for."""

from decimal import Decimal
from typing import Any

import pytest

from models import Approval, Decision, Stage, State
from worker.approvals import ApprovalOutcome


@pytest.fixture
def waiting(hands: Any) -> int:
    """Return a mailing that waits for approval."""
    mailing_id: int = hands.to(Stage.CHECKOUT, approval=Approval.REQUIRED)
    assert hands.pen.mailing(mailing_id).state is State.APPROVAL
    return mailing_id


def test_an_approval_says_who_agreed_when_and_to_what(hands: Any, people: Any, waiting: int) -> None:
    row = hands.pen.mailing(waiting)

    assert people.approve(waiting, "Ada") is ApprovalOutcome.APPROVED

    (decision,) = people.decisions(waiting)
    assert (decision.verdict, decision.who, decision.at) == (Decision.APPROVED, "Ada", hands.clock.at)
    assert (decision.pieces, decision.total) == (row.accepted, row.quoted)
    assert decision.recipients_digest == row.recipients_digest
    assert decision.proof_sha256 == row.proof_sha256
    assert decision.options == {
        "template": 1001,
        "postage": "Standard",
        "speed": "Normal",
        "auto_bill": True,
        "hold_until": None,
    }
    assert hands.to_the_end(waiting).state is State.SENT


def test_what_was_not_shown_is_not_approved(hands: Any, people: Any, waiting: int) -> None:
    seen = people.offer(waiting)
    hands.pen.forge(waiting, quoted=Decimal(99))

    assert people.approve(waiting, seen=seen) is ApprovalOutcome.CHANGED
    assert hands.pen.mailing(waiting).state is State.APPROVAL
    assert people.decisions(waiting) == []


def test_an_approval_that_races_a_price_change_never_pays_the_other_price(
    hands: Any, people: Any, sandbox: Any, waiting: int
) -> None:
    seen = people.offer(waiting)
    sandbox.fail("summary", "requote", factor=2, count=1)

    assert people.approve(waiting, seen=seen) is ApprovalOutcome.APPROVED
    asks = hands.to_the_end(waiting)

    assert (asks.state, asks.approved_at) == (State.APPROVAL, None)
    assert asks.quoted > seen.total
    assert people.approve(waiting, seen=seen) is ApprovalOutcome.CHANGED
    assert sandbox.calls("checkout") == 0
    assert people.approve(waiting) is ApprovalOutcome.APPROVED
    assert hands.to_the_end(waiting).charged == asks.quoted


@pytest.mark.parametrize(("percent", "state"), [(11, State.SENT), (9, State.APPROVAL)])
def test_a_price_may_move_as_far_as_the_tolerance_says(
    hands: Any, people: Any, sandbox: Any, waiting: int, percent: int, state: State
) -> None:
    people.approve(waiting)
    sandbox.fail("summary", "requote", factor="1.1", count=1)

    row = hands.with_settings(price_tolerance=Decimal(percent)).to_the_end(waiting)

    assert row.state is state
    assert row.quoted > people.decisions(waiting)[0].total


def test_a_price_that_creeps_is_held_against_what_was_agreed_and_not_against_the_last(
    hands: Any, people: Any, sandbox: Any, waiting: int
) -> None:
    people.approve(waiting)
    patient = hands.with_settings(price_tolerance=Decimal(11))
    sandbox.fail("summary", "requote", factor="1.1", count=2)
    sandbox.fail("checkout", "too_many", count=1, retryAfter=1)

    assert patient.to_the_end(waiting).state is State.APPROVAL
    assert len(sandbox.order()["charges"]) == 0


def test_an_approval_of_another_proof_is_void(hands: Any, people: Any, sandbox: Any, waiting: int) -> None:
    people.approve(waiting)
    other = hands.context.vendor.proof(hands.pen.mailing(waiting).order_id) + b"%"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lettrlabs.LettrLabs.proof", lambda *_: other)
        asks = hands.to_the_end(waiting)

    assert (asks.state, asks.approved_at) == (State.APPROVAL, None)
    assert "the proof changed" in asks.reason
    assert sandbox.calls("checkout") == 0
    people.approve(waiting)
    assert (
        people.decisions(waiting)[-1].proof_sha256
        == asks.proof_sha256
        != people.decisions(waiting)[0].proof_sha256
    )


def test_a_vendor_that_draws_every_proof_anew_does_not_void_approvals_for_ever(
    hands: Any, people: Any, waiting: int
) -> None:
    people.approve(waiting)
    drawn = iter(range(9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lettrlabs.LettrLabs.proof", lambda *_: b"%%PDF-1.7 %d" % next(drawn))
        row = hands.to_the_end(waiting)

    assert row.state is State.SENT


@pytest.mark.parametrize("option", [{"postage": "FirstClass"}, {"auto_bill": False}])
def test_an_approval_of_other_options_is_void(
    hands: Any, people: Any, sandbox: Any, waiting: int, option: dict[str, Any]
) -> None:
    people.approve(waiting)
    hands.pen.forge(waiting, **option)

    asks = hands.to_the_end(waiting)

    assert (asks.state, asks.approved_at) == (State.APPROVAL, None)
    assert "the options changed" in asks.reason
    assert sandbox.calls("checkout") == 0


@pytest.mark.parametrize(("over", "state"), [("7.99", State.APPROVAL), ("8.00", State.SENT)])
def test_above_its_amount_a_mailing_asks_and_up_to_it_it_goes(hands: Any, over: str, state: State) -> None:
    mailing_id = hands.to(Stage.SUMMARIZE)
    price = hands.context.vendor.summary(
        hands.pen.mailing(mailing_id).order_id, postage="Standard", production="Normal"
    ).balance
    hands.pen.forge(mailing_id, approval=Approval.OVER, approval_over=price - Decimal(8) + Decimal(over))

    assert hands.to_the_end(mailing_id).state is state


def test_a_price_that_rises_above_the_amount_asks_first(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.SUMMARIZE, approval=Approval.OVER, approval_over=Decimal(9))
    hands.on_to(Stage.CHECKOUT, mailing_id)
    sandbox.fail("summary", "requote", factor=2, count=1)

    row = hands.to_the_end(mailing_id)

    assert row.state is State.APPROVAL
    assert sandbox.calls("checkout") == 0


def test_who_submitted_may_be_barred_from_approving(hands: Any, people: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT, approval=Approval.REQUIRED, submitted_by="Ada")

    assert people.approve(mailing_id, "Ada", four_eyes=True) is ApprovalOutcome.OWN
    assert people.decisions(mailing_id) == []
    assert people.approve(mailing_id, "Grace", four_eyes=True) is ApprovalOutcome.APPROVED


def test_a_rejection_deletes_the_draft_and_keeps_the_reason(
    hands: Any, people: Any, sandbox: Any, waiting: int
) -> None:
    assert people.reject(waiting, "wrong list", "Grace")

    row = hands.to_the_end(waiting)

    assert (row.state, row.reason_code, row.reason) == (
        State.CANCELLED,
        "rejected",
        "rejected by Grace: wrong list",
    )
    (decision,) = people.decisions(waiting)
    assert (decision.verdict, decision.who, decision.why) == (Decision.REJECTED, "Grace", "wrong list")
    assert sandbox.orders() == []
    assert people.approve(waiting) is ApprovalOutcome.NOT_WAITING


def test_a_rejection_whose_delete_is_lost_keeps_its_reason_all_the_same(
    hands: Any, people: Any, sandbox: Any, waiting: int
) -> None:
    sandbox.fail("delete_order", "cut_before", count=1)
    people.reject(waiting, "wrong list")

    assert hands.to_the_end(waiting).reason == "rejected by Ada: wrong list"
