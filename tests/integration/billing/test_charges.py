"""Transactions of the vendor: each is stored once, and only those of the order."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from lettrlabs import OrderTransactions
from models import Charge
from worker.billing import reconciliation
from worker.billing.costs import ZERO
from worker.billing.reconciliation import OrderCharges

ORDER, OTHER = 77, 78


def told(*moves: dict[str, Any], order: int = ORDER, volume: int | None = 2) -> OrderTransactions:
    """Return what the vendor shows for one order."""
    rows = [{"orderId": order, "transactionType": "Charge"} | move for move in moves]
    return OrderTransactions.model_validate({"orderId": order, "volume": volume, "transactions": rows})


def account(*reports: OrderTransactions, discounts: Decimal = ZERO) -> OrderCharges:
    return OrderCharges.of(reconciliation.books_of(1, ORDER, reports, discounts))


def stored(people: Any, mailing_id: int) -> list[tuple[int | None, Decimal | None]]:
    with people.engine.connect() as connection:
        rows = connection.execute(
            select(Charge.vendor_id, Charge.amount).where(Charge.mailing_id == mailing_id).order_by(Charge.id)
        )
        return [(row.vendor_id, row.amount) for row in rows]


def write(people: Any, mailing_id: int, *moves: dict[str, Any]) -> None:
    books = reconciliation.books_of(mailing_id, ORDER, [told(*moves)])
    with people.engine.begin() as connection:
        reconciliation.save_transactions(connection, [books])


@pytest.mark.parametrize(
    "moves",
    [
        [{"id": 5, "amount": 3}],
        [{"id": 5, "amount": 3}, {"id": 6, "amount": 4}],
        [{"amount": 3}, {"amount": 3}],
        [{"id": 5, "amount": 3}, {"id": 5, "amount": 3}],
    ],
)
def test_transactions_that_are_written_twice_are_there_once(
    hands: Any, people: Any, moves: list[dict[str, Any]]
) -> None:
    mailing_id = hands.new_mailing(2)

    for _ in range(2):
        write(people, mailing_id, *moves)

    assert [amount for _, amount in stored(people, mailing_id)] == [move["amount"] for move in moves]


def test_one_number_of_two_orders_is_two_charges(hands: Any, people: Any) -> None:
    mailings = [hands.new_mailing(2) for _ in range(2)]

    for one in mailings:
        write(people, one, {"id": 1, "amount": 3})

    assert [stored(people, one) for one in mailings] == [[(1, 3)], [(1, 3)]]


def test_a_transaction_that_changed_is_changed_and_a_second_of_its_number_is_kept(
    hands: Any, people: Any
) -> None:
    mailing_id = hands.new_mailing(2)
    write(people, mailing_id, {"id": 1, "amount": 3})

    write(people, mailing_id, {"id": 1, "amount": 4})
    assert stored(people, mailing_id) == [(1, 4)]

    write(people, mailing_id, {"id": 1, "amount": 4}, {"id": 1, "amount": 5})
    assert sorted(amount for _, amount in stored(people, mailing_id) if amount) == [4, 5]


@pytest.mark.parametrize("flag", [True, None])
def test_a_credit_with_a_minus_sign_lowers_the_cost_like_one_without(flag: bool | None) -> None:
    credit = {"amount": -2, "isCredit": flag, "transactionType": "Volume discount"}

    assert account(told({"amount": 10}, credit)).cost == 8
    assert account(told({"amount": 10}, credit | {"amount": 2, "isCredit": True})).cost == 8


def test_transactions_of_another_order_are_not_this_ones() -> None:
    strange = {"amount": 90, "orderId": OTHER}

    one = account(told({"amount": 10}, strange), told({"amount": 50}, order=OTHER, volume=9))

    assert (one.cost, one.transactions, one.pieces) == (10, 1, 2)


def test_an_order_that_is_listed_in_parts_is_added_up() -> None:
    assert account(told({"amount": 10}), told({"amount": 5})).cost == 15


def test_a_credit_without_words_is_the_discount_of_the_quote_or_money_of_the_account() -> None:
    moves = [{"amount": 10}, {"amount": 2, "isCredit": True}, {"amount": 8, "isCredit": True}]
    quoted = account(told(*moves), discounts=Decimal(2))
    unquoted = account(told(*moves))

    assert (quoted.cost, quoted.from_credits) == (8, 8)
    assert (unquoted.cost, unquoted.from_credits) == (10, 10)


def test_a_refund_lowers_the_cost_and_an_amount_that_is_missing_is_not_zero() -> None:
    refunded = account(told({"amount": 10}, {"amount": 4, "transactionType": "Refund"}))
    unknown = account(told({"amount": 10}, {"amount": None}))

    assert refunded.cost == 6
    assert [doubt.kind.value for doubt in unknown.differences(Decimal(10), 2)] == ["unknown_charge"]


@pytest.mark.parametrize(
    ("quoted", "people", "kinds"),
    [
        ("10.00", 2, []),
        ("10.01", 2, ["charged_less"]),
        ("9.99", 2, ["charged_more"]),
        ("10.00", 3, ["charged_pieces"]),
        ("10.00", 1, ["charged_pieces"]),
    ],
)
def test_a_cent_or_a_piece_is_a_difference(quoted: str, people: int, kinds: list[str]) -> None:
    found = account(told({"amount": 10})).differences(Decimal(quoted), people)

    assert [doubt.kind.value for doubt in found] == kinds
