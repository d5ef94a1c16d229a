"""What an order costs, however it is paid, and whatever the vendor's figures look like."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from console.queries.ledger import Grouping, ledger
from lettrlabs import NewAddress, NewPersonal, NewRecipient
from lettrlabs import Quote as Told
from models import Approval, BudgetScope, Quote, Stage, State
from worker.billing.amounts import exceeds, parse_amount, same
from worker.billing.costs import Cost, cost_of
from worker.billing.quote_arithmetic import doubts
from worker.transitions import Resolution

DISCOUNTED = 250


@pytest.fixture
def prepaid(sandbox: Any) -> None:
    """Give the account more money than any order here costs."""
    sandbox.set(prepaidBalance=100_000)


def price(hands: Any, people: int = 2) -> Decimal:
    """Return what an order for so many people costs where nothing is awkward."""
    quoted: Decimal = hands.pen.mailing(hands.to(Stage.CHECKOUT, people)).quoted
    return quoted


@pytest.mark.usefixtures("prepaid")
@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ({"total": "2.00"}, "over_budget"),
        ({"per_day": "2.00"}, "over_budget"),
        ({"per_month": "2.00"}, "over_budget"),
        ({"per_piece": "0.50"}, "over_budget"),
    ],
)
def test_credits_that_pay_leave_no_budget_out(
    hands: Any, people: Any, sandbox: Any, limit: dict[str, str], code: str
) -> None:
    people.limit(**limit)

    row = hands.to_the_end(hands.new_mailing(2))

    assert (row.state, row.reason_code) == (State.APPROVAL, code)
    assert sandbox.calls("checkout") == 0


@pytest.mark.usefixtures("prepaid")
def test_credits_that_pay_do_not_bring_an_order_below_the_amount_to_approve(
    hands: Any, people: Any, sandbox: Any
) -> None:
    mailing_id = hands.new_mailing(2, approval=Approval.OVER, approval_over=Decimal(1))

    asks = hands.to_the_end(mailing_id)

    assert asks.state is State.APPROVAL
    assert asks.quoted == asks.quoted_from_credits > 1
    assert people.offer(mailing_id).from_credits == asks.quoted
    people.approve(mailing_id)
    row = hands.to_the_end(mailing_id)
    assert (row.state, row.charged, row.charged_from_credits) == (State.SENT, asks.quoted, asks.quoted)
    assert people.reservations() == {mailing_id: ("spent", asks.quoted)}
    assert Decimal(sandbox.ledger()["totals"]["drawn"]) == row.charged


def test_the_ledger_counts_the_cost_and_shows_the_credits_apart(
    hands: Any, people: Any, sandbox: Any
) -> None:
    cost = price(hands)
    sandbox.set(prepaidBalance=1)

    row = hands.to_the_end(hands.new_mailing(2))

    assert (row.charged, row.charged_from_credits) == (cost, 1)
    with people.engine.connect() as connection:
        (_, entry) = ledger(connection, Grouping.ORDER, zone="UTC")
    assert (entry.paid, entry.from_credits, entry.credited, entry.difference) == (cost, 1, 0, 0)


def test_a_credit_that_does_not_say_what_it_is_is_taken_for_money_and_not_for_a_discount(
    hands: Any, sandbox: Any
) -> None:
    clear = hands.pen.mailing(hands.to(Stage.CHECKOUT, DISCOUNTED))
    sandbox.set(creditNames="vague")

    row = hands.to_the_end(hands.new_mailing(DISCOUNTED))

    assert row.quoted == clear.quoted + Decimal("12.50")
    assert (row.state, row.charged) == (State.SENT, row.quoted)


@pytest.mark.parametrize(
    ("credit", "cost"),
    [
        ({"name": "Volume discount"}, Cost(Decimal("8.00"))),
        ({"name": "Promo SPRING"}, Cost(Decimal("8.00"))),
        ({"name": "Credit"}, Cost(Decimal("10.00"), Decimal("2.00"))),
        ({"name": "Account credit"}, Cost(Decimal("10.00"), Decimal("2.00"))),
        ({"name": "Subscription discount balance"}, Cost(Decimal("10.00"), Decimal("2.00"))),
        ({}, Cost(Decimal("10.00"), Decimal("2.00"))),
    ],
)
def test_only_a_credit_that_says_so_is_a_discount(credit: dict[str, str], cost: Cost) -> None:
    told = {
        "totalCharges": 10,
        "totalTax": 0,
        "totalCredits": 2,
        "balance": 8,
        "credits": [credit | {"total": 2}],
    }

    assert cost_of(Told.model_validate(told)) == cost


def test_credits_without_a_line_or_among_the_charges_are_money_too() -> None:
    unlisted = {"totalCharges": 10, "totalTax": 0, "totalCredits": 10, "balance": 0}
    lines = [{"name": "Cards", "total": 10}, {"name": "Prepaid", "total": -10}]
    among = {"totalCharges": 0, "totalTax": 0, "totalCredits": 0, "balance": 0, "lineItems": lines}

    costs = [cost_of(Told.model_validate(one)) for one in (unlisted, among)]

    assert costs == [Cost(Decimal("10.00"), Decimal("10.00"))] * 2


@pytest.mark.parametrize("what", ["amounts", "lines", "all"])
@pytest.mark.parametrize("at", [Stage.SUMMARIZE, Stage.CHECKOUT])
def test_a_quote_of_nothing_is_for_a_person(hands: Any, sandbox: Any, what: str, at: Stage) -> None:
    mailing_id = hands.to(at)
    sandbox.set(nullAmounts=what)

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "quote_of_nothing")
    assert sandbox.calls("checkout") == 0


def test_amounts_with_many_decimals_neither_void_an_approval_nor_differ(
    hands: Any, people: Any, sandbox: Any
) -> None:
    sandbox.set(extraDecimals=True)
    mailing_id = hands.to(Stage.CHECKOUT, approval=Approval.REQUIRED)
    people.limit(per_day=hands.pen.mailing(mailing_id).quoted)

    people.approve(mailing_id)

    row = hands.to_the_end(mailing_id)
    assert (row.state, row.charged) == (State.SENT, row.quoted)
    assert len(people.decisions(mailing_id)) == 1


@pytest.mark.parametrize("ids", ["perOrder", "same"])
def test_numbers_of_transactions_that_come_again_lose_no_charge(
    hands: Any, people: Any, sandbox: Any, ids: str
) -> None:
    sandbox.set(transactionIds=ids)

    rows = [hands.to_the_end(hands.new_mailing(DISCOUNTED)) for _ in range(2)]

    assert [row.state for row in rows] == [State.SENT, State.SENT]
    assert all(row.charged == row.quoted for row in rows)
    with people.engine.connect() as connection:
        entries = ledger(connection, Grouping.ORDER, zone="UTC")
    assert sum(entry.paid for entry in entries) == Decimal(sandbox.ledger()["totals"]["charged"])


def test_credits_with_a_minus_sign_are_credits(hands: Any, sandbox: Any) -> None:
    sandbox.set(creditSign="negative", prepaidBalance=5)

    row = hands.to_the_end(hands.new_mailing(DISCOUNTED))

    assert (row.state, row.charged, row.charged_from_credits) == (State.SENT, row.quoted, 5)


def test_a_price_that_fell_beyond_the_tolerance_asks_again(hands: Any, people: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT, approval=Approval.REQUIRED)
    people.approve(mailing_id)
    sandbox.fail("summary", "requote", factor="0.8", count=1)

    row = hands.with_settings(price_tolerance=Decimal(11)).to_the_end(mailing_id)

    assert (row.state, row.approved_at) == (State.APPROVAL, None)
    assert "the price moved" in row.reason
    assert sandbox.calls("checkout") == 0


def test_a_quote_for_more_pieces_than_people_is_for_a_person(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.SUMMARIZE)
    address = NewAddress(address1="9 Elm Street", city="Springfield", state="IL", zipCode="62701")
    stranger = NewRecipient(address=address, personal=NewPersonal(firstName="Some", lastName="One"))
    hands.context.vendor.append_recipients(hands.pen.mailing(mailing_id).order_id, [stranger])

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "quote_of_other_pieces")
    assert "it is for 3 pieces, and 2 people are on the order" in row.reason
    assert sandbox.calls("checkout") == 0


def quoted_quantities(*quantities: int | None) -> dict[str, Any]:
    lines = [{"name": f"Line {n}", "quantity": one, "total": 1} for n, one in enumerate(quantities)]
    count = len(lines)
    return {"lineItems": lines, "totalCharges": count, "totalTax": 0, "totalCredits": 0, "balance": count}


def test_a_quote_whose_amounts_are_all_zero_is_in_doubt() -> None:
    zeros = dict.fromkeys(("totalCharges", "totalTax", "totalCredits", "balance"), 0)
    told = Told.model_validate(zeros | {"lineItems": [{"name": "Cards", "quantity": 2, "total": 0}]})

    assert [doubt.kind.value for doubt in doubts(told, 2)] == ["costs_nothing"]


@pytest.mark.parametrize(
    ("quantities", "people", "kinds"),
    [
        ((250, 250), 250, []),
        ((250, 1), 250, []),
        ((1, 4), 1, ["pieces"]),
        ((250, 500), 250, ["pieces"]),
        ((249,), 250, ["pieces"]),
        ((1,), 250, ["pieces_not_told"]),
        ((None,), 1, ["pieces_not_told"]),
    ],
)
def test_the_pieces_of_a_quote_are_held_against_the_people(
    quantities: tuple[int | None, ...], people: int, kinds: list[str]
) -> None:
    told = Told.model_validate(quoted_quantities(*quantities))

    assert [doubt.kind.value for doubt in doubts(told, people)] == kinds


def test_more_pieces_charged_than_people_is_for_a_person(hands: Any, people: Any) -> None:
    mailing_id = hands.to(Stage.SETTLE)
    hands.pen.forge(mailing_id, accepted=1)

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "charge_differs")
    assert "charged 2 pieces for 1 people" in row.reason
    assert people.reservations() == {mailing_id: ("spent", row.quoted)}


def test_charges_that_do_not_show_leave_the_quote_spent(hands: Any, people: Any) -> None:
    mailing_id = hands.to(Stage.SETTLE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lettrlabs.LettrLabs.transactions", lambda *_: ())
        row = hands.to_the_end(mailing_id)

    assert (row.reason_code, row.charged) == ("charge_differs", None)
    assert people.reservations() == {mailing_id: ("spent", row.quoted)}
    people.resolve(mailing_id, Resolution.SENT)
    assert people.reservations() == {mailing_id: ("spent", row.quoted)}


@pytest.mark.usefixtures("prepaid")
def test_a_balance_of_nothing_does_not_make_a_prepaid_quote_look_like_the_defaults(hands: Any) -> None:
    assert hands.to_the_end(hands.new_mailing(2, postage="FirstClass")).state is State.SENT


@pytest.mark.usefixtures("prepaid")
def test_the_evidence_names_the_credits_apart(hands: Any, people: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)

    with people.engine.connect() as connection:
        quote = connection.execute(select(Quote.total, Quote.from_credits)).one()
    assert tuple(quote) == (hands.pen.mailing(mailing_id).quoted, hands.pen.mailing(mailing_id).quoted)


@pytest.mark.usefixtures("prepaid")
def test_a_campaign_of_prepaid_orders_is_held_to_its_budget(
    hands: Any, people: Any, sandbox: Any, new_campaign: Any
) -> None:
    campaign = new_campaign()
    mailings = [hands.to(Stage.CHECKOUT, campaign_id=campaign, batch=n) for n in range(3)]
    each = hands.pen.mailing(mailings[0]).quoted
    people.limit(BudgetScope.CAMPAIGN, campaign, total=each * 2)

    rows = [hands.to_the_end(one) for one in mailings]

    assert [row.state for row in rows] == [State.SENT, State.SENT, State.APPROVAL]
    assert Decimal(sandbox.ledger()["totals"]["charged"]) == each * 2


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ("250", "250"),
        ("$1,250.00", "1250.00"),
        ("1,000", "1000"),
        (" 1,234,567.8 ", "1234567.8"),
        (".50", "0.50"),
    ],
)
def test_a_comma_groups_thousands(given: str, amount: str) -> None:
    assert parse_amount(given) == Decimal(amount)


@pytest.mark.parametrize(
    "given",
    [
        "250,00",
        "1.000,50",
        "1,00,000",
        "1,2345",
        "12,34.5",
        ",5",
        "1_000",
        "1e3",
        "٢٥٠",
        "1.2.3",
        "",
        "-1",
        "5.",
        "1 000",
    ],
)
def test_any_other_number_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="must be an amount of money"):
        parse_amount(given)


def test_amounts_are_compared_to_the_cent() -> None:
    assert same(Decimal("11.78"), Decimal("11.78001"))
    assert not exceeds(Decimal("11.784999"), Decimal("11.78"))
    assert exceeds(Decimal("11.785"), Decimal("11.78"))
    assert not exceeds(Decimal("4e-17"), Decimal(0))
