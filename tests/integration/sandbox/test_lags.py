from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Person, Sandbox, Start


def _listed(sandbox: Sandbox) -> set[int]:
    return {row["id"] for row in sandbox.payload(sandbox.vendor.get("/order"))["orders"]}


def _report(sandbox: Sandbox, kind: str, order: int) -> dict[str, object]:
    (row,) = sandbox.payload(sandbox.vendor.get(f"/order/{kind}", params={"Id": order}))["orders"]
    found: dict[str, object] = row
    return found


def test_a_read_of_recipients_shows_who_was_there_a_while_ago(sandbox: Sandbox, person: Person) -> None:
    sandbox.change(recipientsLagSeconds=1000)
    order = sandbox.draft(person(1), person(2))

    assert sandbox.people(order) == []
    assert sandbox.row(order, showRecipients="true")["recipients"] == []
    sandbox.later(advanceSeconds=1001)
    seen = sandbox.people(order)
    assert len(seen) == len(sandbox.row(order, showRecipients="true")["recipients"]) == 2
    body = {"recipientsIds": [one["id"] for one in seen]}
    sandbox.told(sandbox.vendor.request("DELETE", f"/order/{order}/recipients", json=body))
    assert len(sandbox.people(order)) == 2
    sandbox.later(advanceSeconds=1001)
    assert sandbox.people(order) == []


def test_quote_and_checkout_see_the_true_people_while_reads_lag(sandbox: Sandbox, person: Person) -> None:
    sandbox.change(recipientsLagSeconds=1000)
    order = sandbox.draft(person(1), person(2))

    quoted = sandbox.payload(sandbox.vendor.get(f"/order/{order}/checkout"))

    assert [line["quantity"] for line in quoted["lineItems"]] == [2]
    assert sandbox.checkout(order).status_code == HTTPStatus.OK


def test_the_list_shows_the_orders_that_were_there_a_while_ago(sandbox: Sandbox) -> None:
    sandbox.change(ordersLagSeconds=1000)
    order = sandbox.draft()

    assert order not in _listed(sandbox)
    assert sandbox.payload(sandbox.vendor.get("/order", params={"id": order}))["orders"] == []
    assert sandbox.vendor.get(f"/order/{order}/recipients").status_code == HTTPStatus.OK
    sandbox.later(advanceSeconds=1001)
    assert order in _listed(sandbox)
    sandbox.told(sandbox.vendor.delete(f"/order/{order}"))
    assert order in _listed(sandbox)
    assert sandbox.vendor.get(f"/order/{order}/recipients").status_code == HTTPStatus.NOT_FOUND
    sandbox.later(advanceSeconds=1001)
    assert order not in _listed(sandbox)


def test_a_status_is_shown_late_and_acted_on_at_once(sandbox: Sandbox, person: Person) -> None:
    sandbox.change(statusLagSeconds=1000)
    order = sandbox.draft(person())
    sandbox.checkout(order).raise_for_status()
    sandbox.later(advanceSeconds=500)

    assert (sandbox.row(order)["status"], sandbox.row(order)["paidDate"]) == ("Draft", None)
    assert sandbox.checkout(order).status_code == HTTPStatus.BAD_REQUEST
    assert len(_report(sandbox, "transaction", order)["transactions"]) == 1  # type: ignore[arg-type]
    sandbox.later(advanceSeconds=510)
    assert sandbox.row(order)["status"] == "Payment Needed"
    sandbox.later(advanceSeconds=30)
    assert sandbox.row(order)["status"] == "Paid"
    assert sandbox.row(order)["paidDate"]


def test_transactions_and_reports_lag_each_by_their_own_time(sandbox: Sandbox, person: Person) -> None:
    sandbox.change(transactionsLagSeconds=1000, reportsLagSeconds=2000)
    order = sandbox.draft(person())
    sandbox.checkout(order).raise_for_status()
    sandbox.later(advanceSeconds=100)

    assert sandbox.row(order)["status"] == "Paid"
    assert _report(sandbox, "transaction", order)["transactions"] == []
    sandbox.later(advanceSeconds=1000)
    assert _report(sandbox, "transaction", order)["transactions"] != []
    assert _report(sandbox, "analytics", order)["orderStatus"] == "Draft"
    assert (
        sandbox.payload(sandbox.vendor.get(f"/order/{order}/recipient-delivery-status"))["recipients"] == []
    )
    sandbox.later(advanceSeconds=1000)
    assert _report(sandbox, "analytics", order)["orderStatus"] == "Paid"


def test_lagging_reads_go_on_where_they_were_after_a_restart(start: Start, person: Person) -> None:
    sandbox = start()
    sandbox.change(recipientsLagSeconds=1000, ordersLagSeconds=3000)
    sandbox.later(speed=1e-9)
    order = sandbox.draft(person(1), person(2))
    sandbox.later(advanceSeconds=1001)
    first = sandbox.people(order)
    body = {"recipientsIds": [first[0]["id"]]}
    sandbox.told(sandbox.vendor.request("DELETE", f"/order/{order}/recipients", json=body))

    for _ in range(2):
        sandbox.kill()
        sandbox.start()
        assert sandbox.people(order) == first
        assert _listed(sandbox) == set()
    sandbox.later(advanceSeconds=1001)
    assert sandbox.people(order) == first[1:]
    sandbox.later(advanceSeconds=1001)
    assert _listed(sandbox) == {order}
