"""A read gives its value, or says why there is none; it is asked again only where that may help."""

import base64
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lettrlabs import LettrLabs, Refused, Timeouts, Unavailable, VendorError

# The scripted vendor of conftest.py, a class that pytest's importlib mode leaves without a name to import.
Vendor = Any
Connect = Callable[..., LettrLabs]

PATIENT = Timeouts(read=0.4, total=10)


def rows(*ids: int) -> dict[str, object]:
    return {"orderId": 0, "status": "Success", "orders": [{"id": one, "status": "Draft"} for one in ids]}


def people(*ids: int) -> dict[str, object]:
    return {"recipients": [{"id": one, "address": {"address1": "x"}} for one in ids]}


def test_a_read_is_asked_again_after_a_loss_and_then_gives_its_value(
    vendor: Vendor, connect: Connect
) -> None:
    vendor.then(vendor.closes(), vendor.says(503), vendor.pays({"email": "someone@example.com"}))

    assert connect(vendor.url, timeouts=PATIENT).me().email == "someone@example.com"
    assert len(vendor.heard) == 3


def test_a_read_gives_up_after_three_tries(vendor: Vendor, connect: Connect) -> None:
    vendor.then(*[vendor.says(500, {"message": "inner life"})] * 3)

    with pytest.raises(Unavailable, match=r"^LettrLabs is unavailable for me: the vendor answered 500$"):
        connect(vendor.url, timeouts=PATIENT).me()

    assert len(vendor.heard) == 3


def test_a_read_where_nobody_listens_is_unavailable(nobody: str, connect: Connect) -> None:
    with pytest.raises(Unavailable, match="no connection"):
        connect(nobody).me()


def test_a_read_waits_as_long_as_a_busy_vendor_asks(vendor: Vendor, connect: Connect) -> None:
    vendor.then(vendor.says(429, b"", Retry_After="1"), vendor.pays({}))

    start = time.monotonic()
    connect(vendor.url, timeouts=PATIENT).me()

    assert time.monotonic() - start > 0.95


def test_a_read_leaves_a_long_wait_to_its_caller(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(503, b"", Retry_After="60"))

    with pytest.raises(Unavailable) as told:
        client.me()

    assert told.value.retry_after == 60
    assert len(vendor.heard) == 1


def test_a_retry_after_may_be_a_date(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(503, b"", Retry_After="Fri, 31 Dec 2999 23:59:59 GMT"))

    with pytest.raises(Unavailable) as told:
        client.me()

    assert told.value.retry_after == 3600


@pytest.mark.parametrize("wish", ["soon", "-5", "1e3", ""])
def test_a_retry_after_that_says_nothing_is_ignored(wish: str, vendor: Vendor, connect: Connect) -> None:
    vendor.then(vendor.says(503, b"", Retry_After=wish), vendor.pays({}))

    connect(vendor.url, timeouts=PATIENT).me()


@pytest.mark.parametrize("body", ["Invalid key", b"", {"errors": ["Invalid key"], "hasErrors": True}])
def test_a_bad_key_is_refused_at_once(body: object, vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(401, body))

    with pytest.raises(Refused, match=r"^LettrLabs refused me \(401\)$") as told:
        client.me()

    assert told.value.status == 401
    assert isinstance(told.value, VendorError)
    assert len(vendor.heard) == 1


def test_a_refusal_tells_its_reason_code_but_does_not_print_the_vendors_words(
    vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(vendor.says(400, {"errors": ["1 Ada Way is no address"], "reasonCode": "NO"}))

    with pytest.raises(Refused) as told:
        client.me()

    assert str(told.value) == "LettrLabs refused me (400, NO)"
    assert told.value.words == "1 Ada Way is no address"
    assert "Ada" not in repr(told.value) + repr(told.value.call)


def test_a_200_with_errors_is_a_refusal(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(200, {"payload": None, "errors": ["No plan"], "hasErrors": True}))

    with pytest.raises(Refused) as told:
        client.me()

    assert (told.value.status, told.value.words) == (200, "No plan")


def test_an_answer_that_cannot_be_read_is_not_asked_for_again(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays({"lineItems": "none", "balance": "free"}))

    with pytest.raises(Unavailable, match="could not be read"):
        client.summary(5, postage="Standard", production="Normal")

    assert len(vendor.heard) == 1


def test_a_dripping_read_ends_in_time_for_all_its_tries(vendor: Vendor, connect: Connect) -> None:
    vendor.then(*[vendor.drips(b"HTTP/1.1 200 OK\r\nX: " + b"z" * 1000, 0.01)] * 3)

    start = time.monotonic()
    with pytest.raises(Unavailable):
        connect(vendor.url, timeouts=Timeouts(read=0.3, total=0.6)).me()

    assert time.monotonic() - start < 2


def test_one_order_is_found_by_its_id(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays(rows(5)))

    found = client.order(5)

    assert found is not None
    assert (found.id, found.status) == (5, "Draft")
    assert vendor.heard[0].target == "/api/v1/order?id=5"


def test_the_envelopes_own_status_is_never_an_orders_state(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays({"status": "Draft", "orders": [{"id": 5, "status": "Paid"}]}))

    found = client.order(5)

    assert found is not None
    assert found.status == "Paid"


@pytest.mark.parametrize("reply", [(200, {"payload": {"orders": []}}), (404, b"")])
def test_an_order_that_never_was_or_was_deleted_is_none(
    reply: tuple[int, object], vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(vendor.says(*reply))

    assert client.order(5) is None


def test_an_order_is_found_although_the_server_ignores_the_filter(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(
        vendor.pays(rows(*range(100, 200))), vendor.pays(rows(*range(100, 200))), vendor.pays(rows(6, 5))
    )

    found = client.order(5)

    assert found is not None
    assert found.id == 5


def test_orders_are_listed_page_by_page_each_once(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays(rows(9, 8)), vendor.pays(rows(8, 7)), vendor.pays(rows(6)))

    found = [order.id for order in client.iter_orders(status="Draft", paid=False, page_size=2)]

    assert found == [9, 8, 7, 6]
    assert [one.target for one in vendor.heard] == [
        f"/api/v1/order?status=Draft&paid=false&pageNumber={page}&pageSize=2" for page in range(3)
    ]


def test_a_page_cut_short_by_the_servers_own_cap_is_not_taken_for_the_last(
    vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(
        vendor.pays(people(*range(1, 101))), vendor.pays(people(*range(101, 151))), vendor.pays(people())
    )

    assert len(list(client.iter_recipients(5, page_size=500))) == 150


def test_an_empty_list_is_empty(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays(rows()))

    assert list(client.iter_orders()) == []


def test_the_template_filter_of_nothing_asks_nothing(vendor: Vendor, client: LettrLabs) -> None:
    assert (client.analytics([]), client.transactions([])) == ((), ())
    assert vendor.heard == []


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256))


@pytest.mark.parametrize("shape", ["bare", "payload", "data", "wrapped"])
def test_a_proof_is_a_pdf_in_whatever_wrapping(shape: str, vendor: Vendor, client: LettrLabs) -> None:
    text = base64.b64encode(PDF).decode()
    bodies = {
        "bare": text,
        "payload": {"payload": text, "hasErrors": False},
        "data": f"data:application/pdf;base64,{text}",
        "wrapped": "\r\n".join(text[start : start + 76] for start in range(0, len(text), 76)),
    }
    vendor.then(vendor.says(body=bodies[shape]), vendor.says(body=bodies[shape]))

    assert client.proof(5) == PDF
    assert client.proof(5, 77) == PDF
    assert [one.target for one in vendor.heard] == ["/api/v1/order/5/proof", "/api/v1/order/5/proof/77"]


@pytest.mark.parametrize("how", ["newline first", "unpadded", "url-safe", "url-safe and unpadded"])
def test_a_proof_is_read_although_it_is_slightly_off(how: str, vendor: Vendor, client: LettrLabs) -> None:
    document = PDF + (b"" if len(PDF) % 3 else b"\n")
    sent = b"\r\n" + document if how == "newline first" else document
    text = (base64.urlsafe_b64encode if "url-safe" in how else base64.b64encode)(sent).decode()
    assert text.endswith("=") or how == "newline first"
    vendor.then(vendor.pays(text.rstrip("=") if "unpadded" in how else text))

    assert client.proof(5) == document


@pytest.mark.parametrize("body", ["", "????", "JVBERi0", base64.b64encode(b"<html>").decode(), None, 7, {}])
def test_a_proof_that_is_no_pdf_is_not_given_out(body: object, vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(body=body))

    with pytest.raises(Unavailable, match="could not be read"):
        client.proof(5)


def test_a_summary_asks_under_the_names_of_both_generations(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays({"totalCharges": 19.99, "balance": 0}))

    quote = client.summary(5, postage="FirstClass", production="Normal", hold_until=date(2027, 1, 31))

    assert quote.total_charges == Decimal("19.99")
    assert vendor.heard[0].target == (
        "/api/v1/order/5/checkout?postage=FirstClass&PostageType=FirstClass"
        "&production=Normal&ProductionSpeed=Normal&holdUntilDate=2027-01-31"
    )


def test_every_piece_of_a_large_order_is_told_of_whatever_the_size_of_a_page(
    vendor: Vendor, client: LettrLabs
) -> None:
    pieces = [{"id": n, "status": "Mailed"} for n in range(1, 104)]
    vendor.then(vendor.pays({"recipients": pieces[:100]}), vendor.pays({"recipients": pieces[100:]}))

    assert [one.recipient_id for one in client.delivery_status(5)] == list(range(1, 104))
    assert [one.target.partition("?")[2] for one in vendor.heard] == [
        "pageNumber=0&pageSize=500",
        "pageNumber=1&pageSize=500",
    ]


def test_reports_name_the_orders_asked_for(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(
        vendor.pays({"orders": [{"orderId": 1, "totalCards": 3, "qrCode": {"totalScans": "12"}}]}),
        vendor.pays({"orders": [{"orderId": 1, "totalPrice": 3.3, "transactions": [{"amount": 3.3}]}]}),
        vendor.pays({"recipients": [{"id": 8, "status": "Lost In Space"}]}),
        vendor.pays({"recipients": [{"id": 8, "delivery": {"status": "Delivered"}}]}),
    )

    (analytics,) = client.analytics([1, 2])
    (transactions,) = client.transactions([1, 2])

    assert analytics.qr_code is not None
    assert (analytics.total_cards, analytics.qr_code.total_scans) == (3, 12)
    assert transactions.transactions[0].amount == transactions.total_price == Decimal("3.3")
    assert client.delivery_status(1)[0].status == "Lost In Space"
    assert client.delivery_status(1)[0].status == "Delivered"
    assert [one.target for one in vendor.heard][:2] == [
        "/api/v1/order/analytics?Id=1%2C2",
        "/api/v1/order/transaction?Id=1%2C2",
    ]


@pytest.mark.parametrize("shape", ["bare", "payload", "member"])
def test_templates_are_read_in_whatever_wrapping(shape: str, vendor: Vendor, client: LettrLabs) -> None:
    told = [{"templateId": 3, "name": "Card"}]
    vendor.then(
        vendor.says(body={"bare": told, "payload": {"payload": told}, "member": {"templates": told}}[shape])
    )

    assert [(one.id, one.name) for one in client.templates()] == [(3, "Card")]


def test_a_template_that_is_not_there_is_none(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(404), vendor.pays({"id": 3}))

    assert client.template(3) is None
    assert client.template(3) is not None
