from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Person, Sandbox, Start

CENT = Decimal("0.01")


def _summary(sandbox: Sandbox, order: int) -> dict[str, Any]:
    answer = sandbox.vendor.get(f"/order/{order}/checkout")
    sandbox.told(answer)
    payload: dict[str, Any] = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)["payload"]
    return payload


def _account(sandbox: Sandbox, order: int) -> dict[str, Any]:
    answer = sandbox.vendor.get("/order/transaction", params={"Id": order})
    (found,) = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)["payload"]["orders"]
    account: dict[str, Any] = found
    return account


def _kept(sandbox: Sandbox, order: int) -> dict[str, Any]:
    (found,) = [one for one in sandbox.ledger()["orders"] if one["id"] == order]
    kept: dict[str, Any] = found
    return kept


def _crowd(person: Person, count: int = 250) -> list[dict[str, Any]]:
    return [person(number) for number in range(1, count + 1)]


def _pay(sandbox: Sandbox, order: int, **options: object) -> None:
    sandbox.checkout(order, **options).raise_for_status()
    sandbox.later(advanceSeconds=31)


def test_a_prepaid_balance_pays_and_the_ledger_records_the_draw(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    cost = _summary(sandbox, order)["balance"]
    sandbox.change(prepaidBalance=100)

    told = _summary(sandbox, order)
    _pay(sandbox, order)

    assert (told["balance"], told["totalCredits"]) == (0, cost)
    assert [(line["name"], line["total"]) for line in told["credits"]] == [("Account credit", cost)]
    (charge,) = _kept(sandbox, order)["charges"]
    assert (Decimal(charge["amount"]), Decimal(charge["drawn"])) == (cost, cost)
    left = sandbox.control.get("/settings").json()["prepaidBalance"]
    assert Decimal(left) == 100 - cost


def test_a_balance_that_falls_short_is_topped_up_by_card_or_the_payment_fails(
    sandbox: Sandbox, person: Person
) -> None:
    by_card, refused = sandbox.draft(person(1)), sandbox.draft(person(2))
    cost = _summary(sandbox, by_card)["balance"]
    sandbox.change(prepaidBalance=1)

    assert _summary(sandbox, by_card)["balance"] == cost - 1
    _pay(sandbox, refused, autoBill=False)
    _pay(sandbox, by_card)

    assert _kept(sandbox, refused)["charges"] == []
    (charge,) = _kept(sandbox, by_card)["charges"]
    assert (Decimal(charge["amount"]), Decimal(charge["drawn"])) == (cost, 1)
    assert _summary(sandbox, refused)["balance"] == cost


def test_a_prepaid_balance_is_remembered_through_restarts(start: Start, person: Person) -> None:
    sandbox = start("--settle-seconds", "0")
    sandbox.change(prepaidBalance="50.00")
    sandbox.checkout(sandbox.draft(person())).raise_for_status()
    left = sandbox.control.get("/settings").json()["prepaidBalance"]

    for _ in range(2):
        sandbox.kill()
        sandbox.start()

    assert sandbox.control.get("/settings").json()["prepaidBalance"] == left
    assert Decimal(sandbox.totals()["drawn"]) == 50 - Decimal(left)


def test_a_discount_is_told_from_money_of_the_account_unless_credits_are_vague(
    sandbox: Sandbox, person: Person
) -> None:
    sandbox.change(prepaidBalance=100_000)
    order = sandbox.draft(*_crowd(person))

    clear = _summary(sandbox, order)["credits"]
    sandbox.change(creditNames="vague")
    vague = _summary(sandbox, order)["credits"]
    _pay(sandbox, order)

    assert [(one["name"], one["transactionType"], one["transactionSubType"]) for one in clear] == [
        ("Volume discount", "Discount", "Volume"),
        ("Account credit", "Credit", "Prepaid"),
    ]
    assert {(one["name"], one["transactionType"]) for one in vague} == {("Credit", "Credit")}
    assert {one["transactionType"] for one in _account(sandbox, order)["transactions"]} == {
        "Charge",
        "Credit",
    }


def test_credits_may_be_written_with_a_minus(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(*_crowd(person))
    before = _summary(sandbox, order)
    sandbox.change(creditSign="negative")

    told = _summary(sandbox, order)
    _pay(sandbox, order)

    assert told["totalCredits"] == -before["totalCredits"] == sum(line["total"] for line in told["credits"])
    assert told["balance"] == before["balance"]
    assert [one["amount"] < 0 for one in _account(sandbox, order)["transactions"]] == [False, True]


def test_tax_may_be_inside_the_lines(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    before = _summary(sandbox, order)
    sandbox.change(taxInsideLines=True)

    told = _summary(sandbox, order)

    assert told["totalCharges"] == sum(line["total"] for line in told["lineItems"]) == before["balance"]
    assert (told["totalTax"], told["balance"]) == (before["totalTax"], before["balance"])


def test_the_parts_of_a_line_need_not_add_up(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    sandbox.change(subItemsAddUp=False)

    (line,) = _summary(sandbox, order)["lineItems"]

    assert sum(part["total"] for part in line["subItems"]) < line["total"]


@pytest.mark.parametrize(
    ("nulls", "balance", "lines"),
    [("none", True, True), ("amounts", False, True), ("lines", True, False), ("all", False, False)],
)
def test_amounts_and_lines_may_be_null(
    sandbox: Sandbox, person: Person, nulls: str, *, balance: bool, lines: bool
) -> None:
    order = sandbox.draft(person())
    sandbox.change(nullAmounts=nulls)

    told = _summary(sandbox, order)

    totals = {name: told[name] for name in ("balance", "totalCharges", "totalTax", "totalCredits")}
    assert {value is not None for value in totals.values()} == {balance}
    assert {told[name] is not None for name in ("lineItems", "credits")} == {lines}
    if lines:
        assert (told["lineItems"][0]["total"] is not None) is balance


def test_amounts_may_have_more_decimals_than_money_has(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    before = _summary(sandbox, order)
    sandbox.change(extraDecimals=True)

    told = _summary(sandbox, order)
    _pay(sandbox, order)
    (charge,) = _account(sandbox, order)["transactions"]

    for name in ("balance", "totalCharges", "totalTax", "totalCredits"):
        assert told[name] != before[name]
        assert told[name].quantize(CENT) == before[name]
    assert charge["amount"] != before["balance"]
    assert charge["amount"].quantize(CENT) == before["balance"]


@pytest.mark.parametrize(("kind", "distinct"), [("unique", 4), ("perOrder", 2), ("same", 1)])
def test_ids_of_transactions_are_unique_in_the_account_in_the_order_or_not_at_all(
    sandbox: Sandbox, person: Person, kind: str, distinct: int
) -> None:
    sandbox.change(transactionIds=kind)
    orders = [sandbox.draft(*_crowd(person)) for _ in range(2)]
    for order in orders:
        _pay(sandbox, order)

    ids = [one["id"] for order in orders for one in _account(sandbox, order)["transactions"]]

    assert (len(ids), len(set(ids))) == (4, distinct)
