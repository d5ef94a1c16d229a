"""Every try leaves evidence, and neither the key nor a person is ever in what is logged, raised or printed."""

import json
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from lettrlabs import (
    Accepted,
    CallRecord,
    LettrLabs,
    NewAddress,
    NewPersonal,
    NewRecipient,
    Outcome,
    Timeouts,
    VendorError,
)

# The scripted vendor of conftest.py, a class that pytest's importlib mode leaves without a name to import.
Vendor = Any
Connect = Callable[..., LettrLabs]

ADA = NewRecipient(
    address=NewAddress(address1="1 Ada Way", city="Austin", state="TX", zipCode="01234"),
    personal=NewPersonal(firstName="Augusta"),
)


def test_a_write_leaves_what_was_asked_and_what_became_of_it(vendor: Vendor, client: LettrLabs) -> None:
    calls: list[CallRecord] = []
    vendor.then(vendor.says(body={"payload": {"orderId": 5}}, X_Request_Id="r-1"))

    before = datetime.now(UTC)
    answer = client.observed(calls.append).checkout(
        5,
        postage_type="Standard",
        production_speed="Normal",
        hold_until=date(2027, 1, 31),
        auto_bill=True,
    )

    assert calls == [answer.call]
    call = answer.call
    assert (call.operation, call.method, call.path) == ("checkout", "POST", "/v1/order/5/checkout")
    assert (call.status, call.outcome, call.request_id, call.order_id) == (200, Outcome.ACCEPTED, "r-1", 5)
    assert before <= call.started_at <= datetime.now(UTC)
    assert 0 <= call.elapsed_ms < 1000
    assert json.loads(json.dumps(dict(call.request))) == {
        "postage_type": "Standard",
        "production_speed": "Normal",
        "hold_until": "2027-01-31",
        "auto_bill": True,
    }


def test_each_try_of_a_read_is_reported(vendor: Vendor, connect: Connect) -> None:
    calls: list[CallRecord] = []
    vendor.then(vendor.closes(), vendor.says(503), vendor.pays({"orders": []}))

    connect(vendor.url, timeouts=Timeouts(total=5)).observed(calls.append).list_orders(status="Draft")

    assert [(call.outcome, call.status) for call in calls] == [
        (Outcome.UNAVAILABLE, None),
        (Outcome.UNAVAILABLE, 503),
        (Outcome.READ, 200),
    ]
    assert calls[0].request == {"status": "Draft", "pageNumber": 0, "pageSize": 100}


def test_observers_see_only_their_own_calls_over_one_pool(vendor: Vendor, client: LettrLabs) -> None:
    mine: list[CallRecord] = []
    theirs: list[CallRecord] = []
    vendor.then(*[vendor.pays({"orderId": 5})] * 3)

    client.observed(mine.append).create_order(1)
    client.observed(theirs.append).create_order(2)
    client.create_order(3)

    assert [call.request["template_id"] for call in mine] == [1]
    assert [call.request["template_id"] for call in theirs] == [2]
    assert vendor.connections == 1


def test_a_body_that_is_sent_in_one_piece_is_heard_in_one(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays({"totalRecipients": 1000}), vendor.pays({"orders": []}))

    client.append_recipients(5, [ADA] * 1000)
    client.list_orders()

    assert len(json.loads(vendor.heard[0].body)["recipients"]) == 1000
    assert vendor.heard[1].body == b""


def outcomes(vendor: Vendor, client: LettrLabs, key: str) -> list[object]:
    """Bring about everything a call can end in, from a vendor that echoes the key and a person wherever it can."""
    echo = {
        "errors": [f"{key} at 1 Ada Way"],
        "message": f"{key} Augusta",
        "reasonCode": key[:60],
        "hasErrors": True,
        "payload": {"reasonCode": key[:60]},
    }
    told: list[object] = []
    for step in (
        vendor.says(400, echo, X_Request_Id=key),
        vendor.says(200, echo, X_Request_Id=key),
        vendor.says(500, echo),
        vendor.says(200, f"{key} Augusta".encode()),
        vendor.breaks_off(200, f"{key} Augusta".encode()),
        vendor.closes(),
        vendor.says(200, {"payload": {"totalRecipients": key}, "warnings": [f"{key} Augusta"]}),
        vendor.says(200, {"payload": {"totalRecipients": 1}, "warnings": [f"{key} Augusta"]}),
    ):
        vendor.then(step)
        answer = client.append_recipients(5, [ADA])
        told.append(answer)
        assert key not in (answer.call.words or "") + (answer.call.request_id or "")
    for step in (vendor.says(401, echo), vendor.says(200, {"payload": [f"{key} Augusta"]})):
        vendor.then(step)
        with pytest.raises(VendorError) as failure:
            client.me()
        told += [failure.value, *traceback.format_exception(failure.value)]
    return told


def test_neither_the_key_nor_a_person_is_logged_or_shown(
    vendor: Vendor, client: LettrLabs, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    calls: list[CallRecord] = []

    told = outcomes(vendor, client.observed(calls.append), key)

    shown = repr(told) + caplog.text + repr(calls) + repr(client) + repr(vars(client))
    assert "lettrlabs.call" in caplog.text
    assert not [word for word in (key, "Ada", "Augusta", "Austin", "01234") if word in shown]


def test_the_key_travels_in_its_header_and_nowhere_else(vendor: Vendor, client: LettrLabs, key: str) -> None:
    vendor.then(vendor.pays({"orderId": 5}))

    assert isinstance(client.create_order(7), Accepted)

    heard = vendor.heard[0]
    assert heard.headers.pop("x-api-key") == key
    assert key not in repr(heard)


@pytest.mark.parametrize("key", ["", "with space", "with\nnewline", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_told_at_once_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as told:
        LettrLabs("http://127.0.0.1:9", SecretStr(key))

    assert not key or key not in str(told.value)


def test_the_vendors_words_are_cut_to_a_sane_length(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(400, {"errors": ["no\x00\n\x1b[31m " * 10_000]}))

    words = client.create_order(7).call.words

    assert words is not None
    assert len(words) <= 500
    assert words.isprintable()
