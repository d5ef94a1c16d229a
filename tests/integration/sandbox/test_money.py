from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Person, Sandbox, Start


def _summary(sandbox: Sandbox, order: int, **query: str) -> dict[str, Any]:
    answer = sandbox.vendor.get(f"/order/{order}/checkout", params=query)
    assert answer.status_code == HTTPStatus.OK, answer.text
    payload: dict[str, Any] = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)["payload"]
    return payload


def _transactions(sandbox: Sandbox, order: int) -> dict[str, Any]:
    answer = sandbox.vendor.get("/order/transaction", params={"Id": order})
    (found,) = json.loads(answer.text, parse_float=Decimal)["payload"]["orders"]
    account: dict[str, Any] = found
    return account


def _ledger_order(sandbox: Sandbox, order: int) -> dict[str, Any]:
    (found,) = [one for one in sandbox.ledger()["orders"] if one["id"] == order]
    kept: dict[str, Any] = found
    return kept


@pytest.mark.parametrize(("pieces", "credit"), [(249, "0"), (250, "12.50"), (1000, "150.00")])
def test_every_total_of_a_summary_is_the_sum_of_what_is_listed(
    sandbox: Sandbox, person: Person, pieces: int, credit: str
) -> None:
    order = sandbox.draft(*(person(number) for number in range(1, pieces + 1)))

    told = _summary(sandbox, order, postage="FirstClass", production="ExpeditedFaster")

    lines = told["lineItems"]
    for line in [*lines, *(part for group in lines for part in group["subItems"])]:
        assert line["total"] == line["quantity"] * line["rate"]
        if line["subItems"]:
            assert line["total"] == sum(part["total"] for part in line["subItems"])
            assert line["tax"] == sum(part["tax"] for part in line["subItems"])
    assert told["totalCharges"] == sum(line["total"] for line in lines)
    assert told["totalTax"] == sum(line["tax"] for line in lines)
    assert told["totalCredits"] == sum(line["total"] for line in told["credits"]) == Decimal(credit)
    assert told["balance"] == told["totalCharges"] + told["totalTax"] - told["totalCredits"]


def test_the_right_parameter_names_are_honoured_and_others_quoted_as_default(
    sandbox: Sandbox, person: Person
) -> None:
    order = sandbox.draft(person())

    default = _summary(sandbox, order)
    asked = _summary(sandbox, order, postage="FirstClass", production="ExpeditedFastest")
    ignored = _summary(sandbox, order, PostageType="FirstClass", ProductionSpeed="ExpeditedFastest")

    assert asked["balance"] > default["balance"]
    assert asked["estimatedDeliveryDateMax"] < default["estimatedDeliveryDateMax"]
    assert ignored["balance"] == default["balance"]


@pytest.mark.parametrize(
    "query", [{"postage": "Pigeon"}, {"production": "HailTrace"}, {"holdUntilDate": "soon"}]
)
def test_a_choice_that_does_not_exist_is_refused(
    sandbox: Sandbox, person: Person, query: dict[str, str]
) -> None:
    order = sandbox.draft(person())

    answer = sandbox.vendor.get(f"/order/{order}/checkout", params=query)

    assert answer.status_code == HTTPStatus.BAD_REQUEST


def test_a_hold_must_lie_past_the_normal_production_date(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    produced = _summary(sandbox, order, production="ExpeditedFastest")["productionSpeeds"]["Normal"][:10]
    later = (datetime.fromisoformat(produced) + timedelta(days=40)).date().isoformat()

    early = sandbox.vendor.get(f"/order/{order}/checkout", params={"holdUntilDate": produced})
    early_pay = sandbox.checkout(order, holdUntilDate=produced)

    assert {early.status_code, early_pay.status_code} == {HTTPStatus.BAD_REQUEST}
    assert early.json()["reasonCode"] == "HoldUntilDateTooEarly"
    assert _summary(sandbox, order, holdUntilDate=later)["estimatedDeliveryDateMin"] > later
    sandbox.checkout(order, holdUntilDate=later).raise_for_status()
    assert sandbox.row(order)["holdUntilDate"] == later


def test_a_checkout_may_leave_the_hold_date_out(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    body = {"postageType": "Standard", "productionSpeed": "Normal", "autoBill": True}

    sandbox.told(sandbox.vendor.post(f"/order/{order}/checkout", json=body))

    assert sandbox.row(order)["holdUntilDate"] is None


@pytest.mark.parametrize("missing", ["postageType", "productionSpeed", "autoBill"])
def test_a_checkout_needs_its_other_members(sandbox: Sandbox, person: Person, missing: str) -> None:
    order = sandbox.draft(person())
    body = {"postageType": "Standard", "productionSpeed": "Normal", "holdUntilDate": None, "autoBill": True}
    del body[missing]

    answer = sandbox.vendor.post(f"/order/{order}/checkout", json=body)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert sandbox.row(order)["status"] == "Draft"


def test_an_empty_order_cannot_be_paid(sandbox: Sandbox) -> None:
    answer = sandbox.checkout(sandbox.draft())

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["reasonCode"] == "OrderHasNoRecipients"


def test_a_checkout_settles_later_and_is_charged_what_was_quoted(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    balance = _summary(sandbox, order)["balance"]

    told = sandbox.payload(sandbox.checkout(order))
    again = sandbox.checkout(order)

    assert told["orderStatus"] == "Payment Needed"
    assert told["settlementExpectedWithinSeconds"] == 30
    assert (again.status_code, again.json()["reasonCode"]) == (400, "SettlementInProgress")
    assert sandbox.row(order)["status"] == "Payment Needed"
    assert _transactions(sandbox, order)["transactions"] == []
    sandbox.later(advanceSeconds=31)
    assert sandbox.row(order)["status"] == "Paid"
    assert [Decimal(one["amount"]) for one in _ledger_order(sandbox, order)["charges"]] == [balance]
    assert _transactions(sandbox, order)["totalPrice"] == balance


def test_transactions_list_charges_and_credits_that_make_up_the_price(
    sandbox: Sandbox, person: Person
) -> None:
    order = sandbox.draft(*(person(number) for number in range(1, 301)))
    sandbox.checkout(order).raise_for_status()
    sandbox.later(advanceSeconds=31)

    account = _transactions(sandbox, order)

    signed = [one["amount"] * (-1 if one["isCredit"] else 1) for one in account["transactions"]]
    assert len(signed) == 2
    assert sum(signed) == account["totalPrice"]
    assert account["volume"] == 300


def test_a_declined_payment_rolls_back_to_draft_and_may_be_tried_again(
    sandbox: Sandbox, person: Person
) -> None:
    order = sandbox.draft(person())
    sandbox.faults({"endpoint": "checkout", "kind": "decline", "count": 1})

    sandbox.checkout(order).raise_for_status()
    assert sandbox.row(order)["status"] == "Payment Needed"
    sandbox.later(advanceSeconds=31)
    assert sandbox.row(order)["status"] == "Draft"
    sandbox.checkout(order).raise_for_status()
    sandbox.later(advanceSeconds=31)

    kept = _ledger_order(sandbox, order)
    assert kept["status"] == "Paid"
    assert [one["outcome"] for one in kept["checkouts"]] == ["declined", "paid"]
    assert len(kept["charges"]) == 1


def test_the_ledger_counts_the_pieces_of_each_person_in_paid_orders_only(
    start: Start, person: Person
) -> None:
    sandbox = start("--settle-seconds", "0")
    sandbox.draft(person(3))
    for people in ([person(1), person(2)], [person(1, firstName=" ANN1 ")]):
        sandbox.checkout(sandbox.draft(*people)).raise_for_status()

    told = sandbox.ledger()

    assert told["people"] == {
        "ann1|lee|1 oak street||austin|tx|78701": 2,
        "ann2|lee|2 oak street||austin|tx|78701": 1,
    }
    totals = told["totals"]
    assert (totals["created"], totals["liveDrafts"], totals["paid"], totals["pieces"]) == (3, 1, 2, 3)
    assert Decimal(totals["charged"]) == sum(
        Decimal(charge["amount"]) for order in told["orders"] for charge in order["charges"]
    )
    assert totals["calls"]["checkout"] == {"arrived": 2, "applied": 2}


def test_a_paid_order_is_produced_mailed_and_delivered_as_the_clock_goes_on(
    start: Start, person: Person
) -> None:
    sandbox = start("--settle-seconds", "0")
    order = sandbox.draft(*(person(number) for number in range(1, 101)))
    sandbox.checkout(order, postageType="FirstClass").raise_for_status()

    seen = [sandbox.row(order)["status"]]
    for _ in range(4 * 12):
        sandbox.later(advanceSeconds=6 * 3600)
        if (status := sandbox.row(order)["status"]) != seen[-1]:
            seen.append(status)
    assert seen == ["Paid", "Ready For Production", "In Production", "In QA", "InShipping", "Mailed"]
    sandbox.later(days=20)

    row = sandbox.row(order)
    (progress,) = sandbox.payload(sandbox.vendor.get("/order/analytics", params={"Id": order}))["orders"]
    pieces = sandbox.payload(sandbox.vendor.get(f"/order/{order}/recipient-delivery-status"))["recipients"]
    assert row["mailedDate"] > row["paidDate"]
    assert row["deliveredStatus"]["delivered"] == progress["delivered"] > 80
    assert progress["totalCards"] == len(pieces) == 100
    assert {piece["status"] for piece in pieces} >= {"Delivered"}


def test_sandbox_time_runs_at_the_speed_it_is_told(start: Start, person: Person) -> None:
    sandbox = start("--settle-seconds", "86400", "--speed", "1000000")

    told = sandbox.payload(sandbox.checkout(order := sandbox.draft(person())))
    sandbox.later(advanceSeconds=0, speed=1)

    assert told["settlementExpectedWithinSeconds"] == 1
    clock = sandbox.told(sandbox.control.get("/clock"))
    assert clock["speed"] == 1
    assert datetime.fromisoformat(clock["now"]) > datetime.now(UTC) + timedelta(minutes=1)
    sandbox.later(days=1)
    assert sandbox.row(order)["paidDate"]
