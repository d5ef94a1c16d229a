"""An approver accepts a doubtful quote, doubtful charges, or a kind of difference for the account."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select

from console.queries.actions import attention_actions
from models import AcceptedDifference, BudgetScope, Quote, Stage, State
from worker import approvals
from worker.approvals import Accepting, ApprovalOutcome
from worker.audit.evidence_bundle import export_bundle
from worker.billing import acceptances
from worker.periodic import paid_orders
from worker.transitions import Resolution

Accept = Callable[..., ApprovalOutcome]


@pytest.fixture
def accept(people: Any) -> Accept:
    """Return a function that accepts what a mailing needs attention for."""
    with people.engine.begin() as connection:
        connection.execute(delete(AcceptedDifference))

    def accept_one(
        mailing_id: int, who: str = "Ada", *, from_now_on: bool = False, eyes: bool = False
    ) -> ApprovalOutcome:
        accepting = Accepting(
            who=who, why="asked LettrLabs", at=people.now, from_now_on=from_now_on, four_eyes=eyes
        )
        with people.engine.begin() as connection:
            return approvals.accept(connection, mailing_id, accepting)

    return accept_one


def doubtful(hands: Any, **values: Any) -> int:
    """Return a mailing whose quote is in doubt."""
    mailing_id: int = hands.new_mailing(2, **values)
    row = hands.to_the_end(mailing_id)
    assert row.state is State.ATTENTION, row.reason
    return mailing_id


@pytest.mark.parametrize("manner", [{"subItemsAddUp": False}, {"taxInsideLines": True}])
def test_an_accepted_kind_of_difference_lets_every_order_go_on_at_its_real_cost(
    hands: Any, sandbox: Any, people: Any, accept: Accept, manner: dict[str, bool]
) -> None:
    cost = hands.pen.mailing(hands.to(Stage.CHECKOUT)).quoted
    sandbox.set(**manner)
    first = doubtful(hands)

    assert accept(first, from_now_on=True) is ApprovalOutcome.ACCEPTED

    rows = [hands.to_the_end(first), hands.to_the_end(hands.new_mailing(2))]
    assert [(row.state, row.charged) for row in rows] == [(State.SENT, cost)] * 2
    with people.engine.connect() as connection:
        (standing,) = acceptances.standing(connection)
        passed = connection.scalars(select(Quote.accepted).where(Quote.mailing_id == rows[1].id)).one()
    assert [one["decision"] for one in passed] == [standing.id]


def test_an_accepted_quote_is_that_quote_and_no_other(hands: Any, sandbox: Any, accept: Accept) -> None:
    sandbox.set(subItemsAddUp=False)
    first, second = doubtful(hands), doubtful(hands)

    assert accept(first) is ApprovalOutcome.ACCEPTED
    sandbox.fail("summary", "requote", factor=2, count=1)

    assert hands.to_the_end(first).state is State.ATTENTION
    assert hands.pen.mailing(second).state is State.ATTENTION
    assert accept(first) is ApprovalOutcome.ACCEPTED
    assert hands.to_the_end(first).state is State.SENT


def test_what_is_accepted_is_still_held_to_its_budget(
    hands: Any, sandbox: Any, people: Any, accept: Accept
) -> None:
    sandbox.set(taxInsideLines=True, prepaidBalance=1000)
    people.limit(BudgetScope.ACCOUNT, 0, total=Decimal("0.01"))
    mailing_id = doubtful(hands)
    accept(mailing_id, from_now_on=True)

    assert hands.to_the_end(mailing_id).reason_code == "over_budget"


@pytest.mark.parametrize("kinds", ["amounts", "all"])
def test_a_quote_of_nothing_is_accepted_for_one_mailing_at_a_time(
    hands: Any, sandbox: Any, accept: Accept, kinds: str
) -> None:
    sandbox.set(nullAmounts=kinds)
    mailing_id = doubtful(hands)

    assert accept(mailing_id, from_now_on=True) is ApprovalOutcome.ONLY_ONCE
    assert hands.pen.mailing(mailing_id).state is State.ATTENTION


def test_charges_that_differ_are_accepted_with_their_reason(
    hands: Any, sandbox: Any, people: Any, accept: Accept
) -> None:
    sandbox.fail("checkout", "double_settle", count=1)
    mailing_id = doubtful(hands, submitted_by="Ada")

    assert accept(mailing_id, "Ada", eyes=True) is ApprovalOutcome.OWN
    assert accept(mailing_id, "Grace", from_now_on=True) is ApprovalOutcome.ONLY_ONCE
    assert accept(mailing_id, "Grace", eyes=True) is ApprovalOutcome.ACCEPTED

    assert hands.pen.mailing(mailing_id).state is State.SENT
    with people.engine.connect() as connection:
        made = export_bundle(connection, mailing_id)
    assert made is not None
    document = made.files["evidence.json"].decode()
    assert '"accepted_difference"' in document
    assert "asked LettrLabs" in document


def test_charges_of_an_accepted_kind_pass_and_say_so(
    hands: Any, people: Any, accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lettrlabs.LettrLabs.transactions", lambda *_: ())
    accept(doubtful(hands), from_now_on=True)

    row = hands.to_the_end(hands.new_mailing(2))

    assert row.state is State.SENT
    assert "accepted by decision" in row.reason
    assert people.reservations()[row.id] == ("spent", row.quoted)


def test_a_revoked_kind_needs_attention_again(hands: Any, sandbox: Any, people: Any, accept: Accept) -> None:
    sandbox.set(subItemsAddUp=False)
    accept(doubtful(hands), from_now_on=True)
    with people.engine.begin() as connection:
        (standing,) = acceptances.standing(connection)
        assert acceptances.revoke(connection, standing.id, "Grace", "settled", people.now)
        assert not acceptances.revoke(connection, standing.id, "Grace", "settled", people.now)

    doubtful(hands)


def test_what_is_not_in_doubt_cannot_be_accepted(hands: Any, accept: Accept) -> None:
    assert accept(hands.to(Stage.CHECKOUT)) is ApprovalOutcome.NOT_IN_DOUBT
    assert accept(999_999_999) is ApprovalOutcome.NOT_IN_DOUBT


def changed(hands: Any, **change: Any) -> Any:
    """Return the row of a paid mailing whose order the vendor changed after the payment."""
    paid = hands.to_the_end(hands.to(Stage.CHECKOUT))
    hands.sandbox.change(paid.order_id, **change)
    return after_a_look(hands, paid.id)


def after_a_look(hands: Any, mailing_id: int) -> Any:
    hands.forward(13 * 3600.0)
    paid_orders.run_once(hands.context, hands.clock())
    return hands.pen.mailing(mailing_id)


def commands(hands: Any, row: Any) -> str:
    found = attention_actions(row.id, row.stage, row.reason_code, hands.clock())
    return "\n".join(action.command for action in found)


def test_charges_that_changed_after_the_payment_are_accepted_and_others_are_not(
    hands: Any, accept: Accept
) -> None:
    row = changed(hands, charge={"amount": "2.50", "description": "First class"})
    assert (row.state, row.reason_code) == (State.ATTENTION, "charge_changed")
    assert f"mailrun attention resolve {row.id} --accept " in commands(hands, row)

    assert accept(row.id, from_now_on=True) is ApprovalOutcome.ONLY_ONCE
    assert accept(row.id) is ApprovalOutcome.ACCEPTED

    assert after_a_look(hands, row.id).state is State.SENT
    hands.sandbox.change(row.order_id, charge={"amount": "2.50", "description": "First class"})
    assert after_a_look(hands, row.id).reason_code == "charge_changed"


def test_an_accepted_kind_of_change_is_written_down_and_a_dearer_order_still_needs_attention(
    hands: Any, accept: Accept
) -> None:
    refund = {"amount": "1.00", "description": "Refund"}
    assert accept(changed(hands, credit=refund).id, from_now_on=True) is ApprovalOutcome.ACCEPTED

    cheaper = changed(hands, credit=refund)
    dearer = changed(hands, charge={"amount": "1.00", "description": "First class"})

    assert (cheaper.state, cheaper.charged) == (State.SENT, cheaper.quoted - 1)
    assert "accepted by decision" in cheaper.reason
    assert (dearer.state, dearer.reason_code) == (State.ATTENTION, "charge_changed")


def test_an_order_that_was_changed_is_compared_again_and_never_accepted(
    hands: Any, people: Any, accept: Accept
) -> None:
    row = changed(hands, status="Edits Needed", charge={"amount": "1.00"})
    assert row.reason_code == "order_changed"
    assert accept(row.id) is ApprovalOutcome.NOT_IN_DOUBT
    listed = commands(hands, row)
    assert [way in listed for way in ("--retry", "--sent", "--accept", "--failed", "--cancel")] == [
        *(True, True),
        *(False, False, False),
    ]

    hands.sandbox.change(row.order_id, status="In Production", credit={"amount": "1.00"})
    assert people.resolve(row.id, Resolution.RETRY)

    again = hands.to_the_end(row.id)
    assert (again.state, again.order_status) == (State.SENT, "In Production")
    assert after_a_look(hands, row.id).state is State.SENT
