from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx
    from conftest import Person, Sandbox, Start


def _change(sandbox: Sandbox, order: int, **change: object) -> httpx.Response:
    return sandbox.control.post(f"/orders/{order}", json=change)


def _progress(sandbox: Sandbox, order: int) -> dict[str, Any]:
    (row,) = sandbox.payload(sandbox.vendor.get("/order/analytics", params={"Id": order}))["orders"]
    found: dict[str, Any] = row
    return found


def _account(sandbox: Sandbox, order: int) -> dict[str, Any]:
    (row,) = sandbox.payload(sandbox.vendor.get("/order/transaction", params={"Id": order}))["orders"]
    found: dict[str, Any] = row
    return found


@pytest.mark.parametrize("status", ["Edits Needed", "Cancelled", "Refunded", "Error", "On Hold"])
def test_a_paid_order_takes_the_status_that_support_gives_it(
    sandbox: Sandbox, person: Person, status: str
) -> None:
    order = sandbox.draft(person())
    sandbox.checkout(order).raise_for_status()
    sandbox.later(advanceSeconds=31)
    paid = sandbox.row(order)["paidDate"]

    sandbox.told(_change(sandbox, order, status=status))
    sandbox.later(days=60)

    row = sandbox.row(order)
    assert (row["status"], row["paidDate"], row["mailedDate"]) == (status, paid, None)
    assert (_progress(sandbox, order)["orderStatus"], _progress(sandbox, order)["status"]) == (status, status)
    sandbox.told(_change(sandbox, order, status=None))
    assert sandbox.row(order)["status"] == "Mailed"


def test_an_order_that_needs_edits_can_be_edited_and_deleted_but_not_paid(
    sandbox: Sandbox, person: Person
) -> None:
    order = sandbox.draft(person(1))
    sandbox.told(_change(sandbox, order, status="Edits Needed"))

    sandbox.told(sandbox.vendor.put(f"/order/{order}/recipients", json={"recipients": [person(2)]}))
    refused = sandbox.checkout(order)

    assert (refused.status_code, refused.json()["reasonCode"]) == (400, "InvalidOrderStatus")
    assert len(sandbox.people(order)) == 2
    sandbox.told(_change(sandbox, order, status="Draft"))
    sandbox.checkout(order).raise_for_status()
    assert sandbox.row(order)["status"] == "Payment Needed"
    other = sandbox.draft(person())
    sandbox.told(_change(sandbox, other, status="Edits Needed"))
    sandbox.told(sandbox.vendor.delete(f"/order/{other}"))


def test_an_order_is_mailed_when_support_says_so(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    sandbox.checkout(order).raise_for_status()
    sandbox.later(advanceSeconds=31)

    sandbox.told(_change(sandbox, order, status="Mailed"))

    assert sandbox.row(order)["mailedDate"]
    assert _progress(sandbox, order)["orderStatus"] == "Mailed"
    assert _progress(sandbox, order)["waitingUSPS"] == 0


def test_a_change_is_shown_as_late_as_any_other_status(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    sandbox.later(advanceSeconds=1000)
    sandbox.change(statusLagSeconds=600)
    sandbox.told(_change(sandbox, order, status="Edits Needed"))

    assert sandbox.row(order)["status"] == "Draft"
    sandbox.later(advanceSeconds=601)
    assert sandbox.row(order)["status"] == "Edits Needed"


def test_support_charges_again_and_gives_money_back(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    sandbox.checkout(order).raise_for_status()
    sandbox.later(advanceSeconds=31)
    before = _account(sandbox, order)

    sandbox.told(_change(sandbox, order, charge={"amount": "2.50", "description": "First class"}))
    told = sandbox.told(_change(sandbox, order, credit={"amount": 1.25, "description": "Sorry"}))

    account = _account(sandbox, order)
    new = account["transactions"][1:]
    assert [(one["amount"], one["description"], one["isCredit"]) for one in new] == [
        (2.5, "First class", False),
        (1.25, "Sorry", True),
    ]
    assert account["transactions"][:1] == before["transactions"]
    assert account["totalPrice"] == pytest.approx(before["totalPrice"] + 1.25)
    assert [Decimal(one["amount"]) for one in told["charges"]][1:] == [Decimal("2.50")]
    assert [Decimal(one["amount"]) for one in told["refunds"]] == [Decimal("1.25")]


@pytest.mark.parametrize(
    "change",
    [{}, {"status": ""}, {"charge": {"amount": -1}}, {"credit": {"amount": "0.001"}}, {"state": "Error"}],
)
def test_a_change_that_says_nothing_or_nonsense_is_refused(
    sandbox: Sandbox, change: dict[str, object]
) -> None:
    answer = _change(sandbox, sandbox.draft(), **change)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["error"]
    assert _change(sandbox, 7, status="Error").status_code == HTTPStatus.NOT_FOUND


def test_what_support_did_is_remembered_through_restarts(start: Start, person: Person) -> None:
    sandbox = start("--settle-seconds", "0")
    order = sandbox.draft(person())
    sandbox.checkout(order).raise_for_status()
    sandbox.later(speed=1e-9)
    sandbox.told(
        _change(sandbox, order, status="Cancelled", credit={"amount": "1.00", "description": "Back"})
    )
    sandbox.told(_change(sandbox, order, charge={"amount": "2.00"}))
    ledger, account = sandbox.ledger(), _account(sandbox, order)

    for _ in range(2):
        sandbox.kill()
        sandbox.start()
        assert sandbox.ledger()["orders"] == ledger["orders"]
        assert _account(sandbox, order)["transactions"] == account["transactions"]
