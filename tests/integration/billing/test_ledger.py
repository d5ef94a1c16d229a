"""What was taken is what was quoted, or a person hears of it; and the ledger's sums are the vendor's, to the cent."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from console.queries.ledger import Grouping, ledger, total
from models import Stage, State
from worker.transitions import Resolution

CREDITED = 250


def lines(people: Any, by: Grouping, **days: Any) -> Any:
    with people.engine.connect() as connection:
        return ledger(connection, by, zone="UTC", **days)


def test_an_order_settled_twice_is_for_a_person_and_does_not_look_unsent(
    hands: Any, people: Any, sandbox: Any
) -> None:
    sandbox.fail("checkout", "double_settle", count=1)
    mailing_id = hands.to(Stage.CHECKOUT)

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code, row.order_status) == (State.ATTENTION, "charge_differs", "Paid")
    assert row.paid_at
    assert row.charged == 2 * row.quoted
    assert "in 2 transactions" in row.reason
    (entry,) = lines(people, Grouping.ORDER)
    assert entry.difference == row.quoted
    assert not people.resolve(mailing_id, Resolution.FAILED)
    assert not people.resolve(mailing_id, Resolution.PAY_AGAIN)
    assert people.resolve(mailing_id, Resolution.SENT)
    assert hands.pen.mailing(mailing_id).state is State.SENT


def test_transactions_that_come_late_are_waited_for(hands: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    real = type(hands.context.vendor).transactions
    looks = []

    def late(self: Any, order_ids: Sequence[int]) -> Any:
        looks.append(order_ids)
        return () if len(looks) < 3 else real(self, order_ids)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lettrlabs.LettrLabs.transactions", late)
        row = hands.to_the_end(mailing_id)

    assert row.state is State.SENT
    assert row.charged == row.quoted
    assert len(looks) == 3


def test_transactions_that_never_come_are_for_a_person(hands: Any, people: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lettrlabs.LettrLabs.transactions", lambda *_: ())
        row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "charge_differs")
    assert "shows no transaction" in row.reason
    people.resolve(mailing_id, Resolution.RETRY)
    assert hands.to_the_end(mailing_id).state is State.SENT


def test_a_price_that_moves_within_the_checkout_itself_shows_afterwards(hands: Any, sandbox: Any) -> None:
    sandbox.fail("checkout", "requote", count=1, factor=2)
    mailing_id = hands.to(Stage.CHECKOUT)

    assert hands.to_the_end(mailing_id).reason_code == "charge_differs"


def test_a_day_is_that_of_the_payment_in_the_zone_asked_for(hands: Any, people: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    row = hands.to_the_end(mailing_id)
    day = row.paid_at.date()

    assert [entry.label for entry in lines(people, Grouping.DAY)] == [day.isoformat()]
    assert len(lines(people, Grouping.DAY, since=day, until=day)) == 1
    assert lines(people, Grouping.DAY, since=day.replace(year=day.year + 1)) == []


@st.composite
def runs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw a few mailings, each with its size, options and what befalls its payment."""
    one = st.fixed_dictionaries(
        {
            "people": st.sampled_from([1, 2, 3, CREDITED]),
            "postage": st.sampled_from(["Standard", "FirstClass"]),
            "speed": st.sampled_from(["Normal", "ExpeditedFaster"]),
            "fault": st.sampled_from([None, None, "decline", "double_settle", "requote", "cut_after"]),
            "again": st.booleans(),
        }
    )
    return draw(st.lists(one, min_size=1, max_size=4))


@settings(
    max_examples=6,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(mailings=runs())
def test_the_ledgers_sums_are_the_vendors_charges_to_the_cent(
    hands: Any, people: Any, sandbox: Any, mailings: list[dict[str, Any]]
) -> None:
    with people.engine.begin() as connection:
        connection.execute(text("DELETE FROM mailing"))
    sandbox.empty()
    for asked in mailings:
        send(hands, people, sandbox, asked)

    for by in Grouping:
        sums = total(lines(people, by))
        assert sums.paid == Decimal(sandbox.ledger()["totals"]["charged"])
    by_order = {order["id"]: order for order in sandbox.orders()}
    for entry in lines(people, Grouping.ORDER):
        order = by_order[int(entry.label.split()[0])]
        assert entry.paid == sum((Decimal(one["amount"]) for one in order["charges"]), Decimal(0))


def send(hands: Any, people: Any, sandbox: Any, asked: dict[str, Any]) -> None:
    mailing_id = hands.to(Stage.CHECKOUT, asked["people"], postage=asked["postage"], speed=asked["speed"])
    if asked["fault"]:
        sandbox.fail("checkout", asked["fault"], count=1)
    row = hands.to_the_end(mailing_id)
    sandbox.heal()
    if asked["again"] and row.reason_code == "payment_failed":
        people.resolve(mailing_id, Resolution.PAY_AGAIN)
        hands.to_the_end(mailing_id)
