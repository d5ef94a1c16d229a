from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Person, Sandbox, Start


def _ids(sandbox: Sandbox, **query: object) -> list[int]:
    return [row["id"] for row in sandbox.payload(sandbox.vendor.get("/order", params=query))["orders"]]


def test_every_create_makes_a_new_empty_draft_even_with_an_idempotency_key(sandbox: Sandbox) -> None:
    asked = {"json": {"templateId": 1001}, "headers": {"Idempotency-Key": "same"}}

    first, second = (sandbox.payload(sandbox.vendor.post("/order", **asked))["orderId"] for _ in range(2))

    assert second > first
    assert sandbox.row(second)["status"] == "Draft"
    assert sandbox.row(second)["recipients"] == []


@pytest.mark.parametrize(
    "body", [{"templateId": 9}, {"templateId": "1001"}, {"templateId": True}, {}, [], None]
)
def test_an_order_for_no_known_template_is_refused_and_makes_nothing(sandbox: Sandbox, body: object) -> None:
    before = sandbox.totals()["created"]

    answer = sandbox.vendor.post("/order", json=body)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["errors"]
    assert sandbox.totals()["created"] == before


def test_a_row_tells_neither_template_nor_creation_date(sandbox: Sandbox) -> None:
    row = sandbox.row(sandbox.draft())

    assert row.keys() == {
        *("id", "status", "paidDate", "mailedDate", "holdUntilDate", "postageType", "productType"),
        *("productionSpeed", "handwrittenFont", "qrCodeUrl", "deliveredStatus", "recipients"),
    }


def test_rows_come_in_a_stable_order_that_is_not_by_id(start: Start) -> None:
    sandbox = start()
    made = [sandbox.draft() for _ in range(12)]

    listed = _ids(sandbox)

    assert sorted(listed) == made
    assert listed not in (made, made[::-1])
    assert _ids(sandbox) == listed
    assert _ids(sandbox, id=",".join(map(str, made))) == listed
    sandbox.control.post("/settings", json={"orderOfRows": "newest"}).raise_for_status()
    assert _ids(sandbox) == made[::-1]


def test_pages_hold_every_order_once(start: Start) -> None:
    sandbox = start()
    made = {sandbox.draft() for _ in range(7)}

    pages = [_ids(sandbox, pageNumber=number, pageSize=3) for number in range(4)]

    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert {order for page in pages for order in page} == made
    for wrong in ({"pageNumber": -1}, {"pageSize": 0}, {"pageSize": "many"}):
        assert sandbox.vendor.get("/order", params=wrong).status_code == HTTPStatus.BAD_REQUEST


def test_a_page_is_100_orders_unless_asked_and_never_more_than_500(start: Start) -> None:
    sandbox = start()
    for _ in range(501):
        sandbox.draft()

    assert len(_ids(sandbox)) == 100
    assert len(_ids(sandbox, pageSize=2000)) == 500


def test_orders_are_found_by_state_payment_product_and_postage(sandbox: Sandbox, person: Person) -> None:
    draft, paid, settling = (sandbox.draft(person(), template=1002) for _ in range(3))
    sandbox.checkout(paid, postageType="FirstClass").raise_for_status()
    sandbox.later(advanceSeconds=31)
    sandbox.checkout(settling).raise_for_status()
    ours = {"id": f"{draft},{paid},{settling}"}

    assert _ids(sandbox, **ours, status="Draft") == [draft]
    assert _ids(sandbox, **ours, status="Payment Needed") == [settling]
    assert _ids(sandbox, **ours, paid="true") == [paid]
    assert sorted(_ids(sandbox, **ours, paid="false")) == [draft, settling]
    assert _ids(sandbox, **ours, postage="FirstClass") == [paid]
    assert len(_ids(sandbox, **ours, product="Postcard")) == 3
    assert _ids(sandbox, **ours, product="Card") == []


def test_people_are_shown_flat_and_only_when_asked_for(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person(3))

    (shown,) = sandbox.row(order, showRecipients="true")["recipients"]

    assert sandbox.row(order)["recipients"] == []
    assert (shown["orderId"], shown["firstName"], shown["custom1"]) == (order, "Ann3", "Offer 3.")
    assert shown["delivery"] == {"status": "Waiting on USPS Info", "updatedDate": None}


def test_a_deleted_order_reads_as_one_that_never_was(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    sandbox.payload(sandbox.vendor.delete(f"/order/{order}"))

    assert _ids(sandbox, id=order) == []
    for path in ("recipients", "proof", "checkout", "recipient-delivery-status"):
        assert sandbox.vendor.get(f"/order/{order}/{path}").status_code == HTTPStatus.NOT_FOUND
    assert sandbox.vendor.delete(f"/order/{order}").status_code == HTTPStatus.NOT_FOUND
    (kept,) = [one for one in sandbox.ledger()["orders"] if one["id"] == order]
    assert kept["deleted"] is True


def test_only_a_draft_may_be_changed_deleted_or_paid(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    sandbox.checkout(order).raise_for_status()
    sandbox.later(advanceSeconds=31)

    refusals = [
        sandbox.vendor.delete(f"/order/{order}"),
        sandbox.vendor.put(f"/order/{order}/recipients", json=[person(2)]),
        sandbox.vendor.request("DELETE", f"/order/{order}/recipients", json={"recipientsIds": []}),
        sandbox.checkout(order),
    ]

    assert {answer.status_code for answer in refusals} == {HTTPStatus.BAD_REQUEST}
    assert {answer.json()["reasonCode"] for answer in refusals} == {"InvalidOrderStatus"}
    assert all("invalid status 'Paid'" in answer.json()["errors"][0] for answer in refusals)
