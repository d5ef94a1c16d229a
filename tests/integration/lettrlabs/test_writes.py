"""A write ends in one of four answers, and only what surely was not applied is called so."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lettrlabs import (
    Accepted,
    LettrLabs,
    NewAddress,
    NewRecipient,
    NotSent,
    Outcome,
    Rejected,
    Timeouts,
    Unknown,
    transport,
)
from lettrlabs.transport import NoResponse

# The scripted vendor of conftest.py, a class that pytest's importlib mode leaves without a name to import.
Vendor = Any
Connect = Callable[..., LettrLabs]

ADA = NewRecipient(address=NewAddress(address1="1 Ada Way", city="Austin", state="TX", zipCode="01234"))


def test_a_created_order_is_accepted_with_its_id(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays({"orderId": 4711, "status": "Success"}))

    answer = client.create_order(7)

    assert isinstance(answer, Accepted)
    assert answer.value == 4711
    assert answer.call.order_id == 4711
    assert (vendor.heard[0].method, vendor.heard[0].target) == ("POST", "/api/v1/order")
    assert vendor.heard[0].body == b'{"templateId":7}'
    assert vendor.heard[0].headers["content-type"] == "application/json"


def test_the_older_envelope_is_read_as_well(vendor: Vendor, client: LettrLabs) -> None:
    old = {"profile": {}, "payload": {"orderId": 5}, "errors": None, "hasErrors": False, "metadata": {}}
    vendor.then(vendor.says(body=old))

    answer = client.create_order(7)

    assert isinstance(answer, Accepted)
    assert answer.value == 5


def test_a_refused_connection_means_nothing_was_sent(nobody: str, connect: Connect) -> None:
    answer = connect(nobody).create_order(7)

    assert isinstance(answer, NotSent)
    assert answer.retry_after is None
    assert answer.call.status is None


def test_a_pool_without_a_free_connection_means_nothing_was_sent(vendor: Vendor, connect: Connect) -> None:
    vendor.then(vendor.is_silent())
    client = connect(vendor.url, connections=1, timeouts=Timeouts(read=1, pool=0.1))

    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(client.create_order, 7)
        while not vendor.heard:
            time.sleep(0.001)
        answer = client.create_order(7)

        assert isinstance(answer, NotSent)
        assert isinstance(waiting.result(), Unknown)
    assert len(vendor.heard) == 1


def test_a_call_held_up_past_its_deadline_sends_nothing_any_more(vendor: Vendor, client: LettrLabs) -> None:
    late = client._calls.transport.exchange("POST", "/v1/order", b"{}", time.monotonic() - 1)

    assert isinstance(late, NoResponse)
    assert not late.sent
    assert vendor.heard == []


LOST = {
    "closed before the answer": lambda vendor: vendor.closes(),
    "reset before the answer": lambda vendor: vendor.resets(),
    "silent": lambda vendor: vendor.is_silent(),
    "cut off in the body": lambda vendor: vendor.breaks_off(),
    "cut off in the head": lambda vendor: vendor.sends(b"HTTP/1.1 200 O", close=True),
    "cut off in a chunk": lambda vendor: vendor.sends(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{", close=True
    ),
    "not HTTP": lambda vendor: vendor.sends(b"SSH-2.0-OpenSSH\r\n", close=True),
}


@pytest.mark.parametrize("how", LOST.values(), ids=LOST.keys())
def test_a_lost_reply_to_create_is_unknown_and_never_sent_again(
    how: Callable[[Vendor], Any], vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(how(vendor), vendor.pays({"orderId": 1}))

    answer = client.create_order(7)

    assert isinstance(answer, Unknown)
    assert answer.call.outcome is Outcome.UNKNOWN
    assert len(vendor.heard) == 1


UNREADABLE = {
    "empty": b"",
    "not JSON": b"<html>hello</html>",
    "half of it": b'{"payload": {"orderId": 5}',
    "a list": b"[]",
    "no payload": b'{"payload": null, "hasErrors": false}',
    "order zero": b'{"payload": {"orderId": 0}}',
    "no order": b'{"payload": {"status": "Draft"}}',
    "an order of words": b'{"payload": {"orderId": "abc"}}',
    "an order with a fraction": b'{"payload": {"orderId": 1.5}}',
    "not a number": b'{"payload": {"orderId": NaN}}',
    "a number without end": b'{"payload": {"orderId": ' + b"9" * 5000 + b"}}",
    "an exponent without end": b'{"payload": {"orderId": 1e99999999999999999999}}',
    "nested without end": b"[" * 100_000,
    "another encoding": '{"payload": {"orderId": 5}}'.encode("utf-16"),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_200_that_cannot_be_read_is_unknown(body: bytes, vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(200, body))

    assert isinstance(client.create_order(7), Unknown)


def test_a_vendor_that_answers_too_much_is_unknown_and_is_not_read_to_the_end(
    vendor: Vendor, client: LettrLabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1000)
    vendor.then(vendor.says(200, b" " * 1001), vendor.pays({"orderId": 5}))

    assert isinstance(client.create_order(7), Unknown)
    assert isinstance(client.create_order(7), Accepted)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 300, 302, 303])
def test_a_status_that_may_follow_a_done_write_is_unknown(
    status: int, vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(vendor.says(status, {"message": "secret inner life"}, Location="/elsewhere"))

    answer = client.create_order(7)

    assert isinstance(answer, Unknown)
    assert answer.call.status == status
    assert len(vendor.heard) == 1


def test_a_server_error_keeps_its_reason_code_but_not_its_text(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(500, {"reasonCode": "BILLING_DOWN", "errors": ["at Foo.cs:12"]}))

    call = client.create_order(7).call

    assert (call.reason_code, call.words) == ("BILLING_DOWN", None)


REFUSALS = {
    "envelope": (
        400,
        {"payload": None, "errors": ["invalid status"], "hasErrors": True},
        "invalid status",
        None,
    ),
    "reason code": (
        400,
        {"errors": ["No."], "reasonCode": "ORDER_NOT_DRAFT", "hasErrors": True},
        "No.",
        "ORDER_NOT_DRAFT",
    ),
    "message": (400, {"message": "Bad template", "reasonCode": "X1"}, "Bad template", "X1"),
    "several errors": (400, {"errors": ["One.", "Two."]}, "One. Two.", None),
    "error objects": (422, {"errors": [{"message": "Too far"}, {"code": 3}]}, "Too far", None),
    "error details": (
        422,
        {"errors": [], "errorDetails": [None, {"reasonCode": "ZIP"}], "message": "m"},
        "m",
        "ZIP",
    ),
    "problem details": (
        400,
        {"title": "Bad", "errors": {"TemplateId": ["is required"]}},
        "is required",
        None,
    ),
    "problem title": (415, {"title": "Unsupported", "status": 415}, "Unsupported", None),
    "bare string": (401, "Invalid API key", "Invalid API key", None),
    "plain text": (401, b"Unauthorized", "Unauthorized", None),
    "empty": (403, b"", None, None),
    "schemes": (403, {"authenticationSchemes": [], "properties": {"items": {}}}, None, None),
    "a page of HTML": (404, b"<!doctype html><title>Not here</title>", None, None),
    "a list": (404, [], None, None),
    "numbers for words": (400, {"errors": 7, "message": {"a": 1}, "reasonCode": 12}, None, None),
}


@pytest.mark.parametrize(("status", "body", "words", "code"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_is_rejected_with_the_vendors_words(
    status: int, body: object, words: str | None, code: str | None, vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(vendor.says(status, body))

    answer = client.create_order(7)

    assert isinstance(answer, Rejected)
    assert (answer.status, answer.words, answer.reason_code) == (status, words, code)
    assert (answer.call.words, answer.call.reason_code) == (words, code)


def test_a_refusal_whose_words_were_lost_is_still_a_refusal(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.breaks_off(400))

    answer = client.create_order(7)

    assert isinstance(answer, Rejected)
    assert (answer.status, answer.words) == (400, None)


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_that_did_nothing_is_a_refusal_and_is_not_followed(
    status: int, vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(vendor.says(status, b"", Location="/api/v1/order"), vendor.pays({"orderId": 1}))

    assert isinstance(client.create_order(7), Rejected)
    assert len(vendor.heard) == 1


def test_a_200_with_errors_and_no_result_is_rejected(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(200, {"payload": None, "errors": ["No credit"], "hasErrors": True}))

    answer = client.checkout(
        5, postage_type="Standard", production_speed="Normal", hold_until=None, auto_bill=True
    )

    assert isinstance(answer, Rejected)
    assert (answer.status, answer.words) == (200, "No credit")


def test_a_200_with_errors_beside_a_new_order_is_unknown(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(200, {"payload": {"orderId": 5}, "errors": ["late"], "hasErrors": True}))

    assert isinstance(client.create_order(7), Unknown)


def test_errors_that_the_vendor_does_not_count_as_such_are_no_refusal(
    vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(vendor.says(200, {"payload": {"orderId": 5}, "errors": ["psst"], "hasErrors": False}))

    answer = client.create_order(7)

    assert isinstance(answer, Accepted)
    assert answer.call.words == "psst"


def test_an_append_that_took_nobody_and_tells_of_errors_is_rejected(
    vendor: Vendor, client: LettrLabs
) -> None:
    payload = {"orderId": 5, "totalRecipients": 0}
    vendor.then(vendor.says(200, {"payload": payload, "errors": ["bad"], "hasErrors": True}))

    assert isinstance(client.append_recipients(5, [ADA]), Rejected)


def test_an_append_that_took_somebody_and_tells_of_errors_is_unknown(
    vendor: Vendor, client: LettrLabs
) -> None:
    payload = {"orderId": 5, "totalRecipients": 1}
    vendor.then(vendor.says(200, {"payload": payload, "errors": ["bad"], "hasErrors": True}))

    assert isinstance(client.append_recipients(5, [ADA]), Unknown)


@pytest.mark.parametrize("reply", [(200, {"payload": {"orderId": 5}}), (204, b""), (200, b"")])
def test_a_delete_needs_no_words_to_be_accepted(
    reply: tuple[int, object], vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(vendor.says(*reply), vendor.says(*reply))

    assert isinstance(client.delete_order(5), Accepted)
    assert isinstance(client.delete_recipients(5, [1, 2]), Accepted)
    assert [(one.method, one.target) for one in vendor.heard] == [
        ("DELETE", "/api/v1/order/5"),
        ("DELETE", "/api/v1/order/5/recipients"),
    ]
    assert vendor.heard[1].body == b'{"recipientsIds":[1,2]}'


def test_a_checkout_sends_all_four_members(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays({"orderId": 5, "orderStatus": "Payment Needed", "pollAfterSeconds": 30}))

    answer = client.checkout(
        5, postage_type="Standard", production_speed="Normal", hold_until=None, auto_bill=False
    )

    assert isinstance(answer, Accepted)
    assert (answer.value.order_status, answer.value.poll_after_seconds) == ("Payment Needed", 30)
    assert vendor.heard[0].body == (
        b'{"postageType":"Standard","productionSpeed":"Normal","holdUntilDate":null,"autoBill":false}'
    )


@pytest.mark.parametrize("number", [0, 1001])
def test_an_append_of_nobody_or_too_many_never_reaches_the_wire(
    number: int, vendor: Vendor, client: LettrLabs
) -> None:
    with pytest.raises(ValueError, match="1 to 1000 recipients"):
        client.append_recipients(5, [ADA] * number)

    assert vendor.heard == []


def test_an_append_can_only_append(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays({"orderId": 5, "totalRecipients": 1000}))

    answer = client.append_recipients(5, [ADA] * 1000)

    assert isinstance(answer, Accepted)
    assert answer.value.total == 1000
    assert (vendor.heard[0].method, vendor.heard[0].target) == ("PUT", "/api/v1/order/5/recipients:append")


DRIPS = {
    "the head": b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 1000,
    "the body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000,
    "a chunk's size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b"z" * 1000,
}


@pytest.mark.parametrize("raw", DRIPS.values(), ids=DRIPS.keys())
def test_a_vendor_that_drips_cannot_outlast_the_deadline(
    raw: bytes, vendor: Vendor, connect: Connect
) -> None:
    vendor.then(vendor.drips(raw, 0.01))
    timeouts = Timeouts(read=0.3, total=0.6)

    start = time.monotonic()
    answer = connect(vendor.url, timeouts=timeouts).create_order(7)

    assert isinstance(answer, Unknown)
    assert 0.5 < time.monotonic() - start < 2 < timeouts.worst()


def test_a_connection_the_vendor_has_closed_meanwhile_is_not_written_into(
    vendor: Vendor, client: LettrLabs
) -> None:
    reply = b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"payload":{"orderId":5}}'
    vendor.then(vendor.sends(reply, close=True), vendor.pays({"orderId": 6}))

    assert isinstance(client.create_order(7), Accepted)
    while vendor.is_connected():
        time.sleep(0.001)
    assert isinstance(client.create_order(7), Accepted)


def test_a_429_was_not_applied_and_tells_when_to_come_back(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(429, {"message": "Slow down"}, Retry_After="17"))

    answer = client.create_order(7)

    assert isinstance(answer, NotSent)
    assert (answer.retry_after, answer.call.status) == (17, 429)


def test_an_absurd_retry_after_is_taken_for_an_hour(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(429, b"", Retry_After="99999999999"))

    answer = client.create_order(7)

    assert isinstance(answer, NotSent)
    assert answer.retry_after == 3600


@pytest.mark.parametrize("url", ["", "app.lettrlabs.com/api", "ftp://app.lettrlabs.com", "https://"])
def test_a_base_url_that_is_none_is_told_at_once(url: str, connect: Connect) -> None:
    with pytest.raises(ValueError, match="base URL"):
        connect(url)
