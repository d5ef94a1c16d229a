"""Every digit of money survives, both shapes of a recipient read the same, and what is unknown does no harm."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lettrlabs import (
    AppendResult,
    NewAddress,
    NewMetadata,
    NewPersonal,
    NewRecipient,
    Order,
    OrderRecipient,
    Quote,
)
from lettrlabs.envelope import parse_envelope
from lettrlabs.transport import Reply
from lettrlabs.wire import new_recipients


def read(text: str) -> object:
    return parse_envelope(Reply(200, text.encode()), "LL-API-x").payload


@pytest.mark.parametrize(
    "text", ["0.1", "19.99", "1e2", "1E-3", "0.30000000000000004", "-5.00", "12", "999999999999"]
)
def test_money_is_exactly_what_the_vendor_wrote(text: str) -> None:
    quote = Quote.model_validate(read(f'{{"totalCharges": {text}, "balance": {text}}}'))

    assert quote.balance == Decimal(text)


def test_tenths_add_up() -> None:
    quote = Quote.model_validate(read('{"totalCharges": 0.1, "totalTax": 0.2, "balance": 0.3}'))

    assert quote.total_charges + quote.total_tax == quote.balance


@settings(deadline=None, database=None, max_examples=50)
@given(st.decimals(min_value=-(10**11), max_value=10**11, places=4))
def test_any_amount_survives(amount: Decimal) -> None:
    quote = Quote.model_validate(read(f'{{"totalCharges": {amount}, "balance": {amount}}}'))

    assert str(quote.balance) == str(amount)


@pytest.mark.parametrize("text", ["1e13", '"a lot"', "[]", "1e999999999"])
def test_money_beyond_reason_is_not_read(text: str) -> None:
    with pytest.raises(ValidationError):
        Quote.model_validate(read(f'{{"totalCharges": 1, "balance": {text}}}'))


def test_a_quote_is_read_line_by_line_with_names_nobody_has_heard_of() -> None:
    quote = Quote.model_validate(
        read(
            """{"orderId": 5, "status": "Success", "lineItems": [{"name": "Cards", "quantity": 250, "rate": 1.05,
            "total": 262.50, "tax": 0, "subItems": [{"name": "Stamp", "total": 0.73, "subItems": null}]}],
            "credits": null, "totalCharges": 262.50, "totalTax": null, "balance": 262.5,
            "productionSpeeds": {"Normal": "2026-12-01T00:00:00", "HailTrace": "2026-12-02T00:00:00Z", "Odd": ""},
            "productionSpeedPrices": {"Normal": 0, "HailTrace": 0.35}, "postageTypePrices": null,
            "estimatedDeliveryDateMin": "0001-01-01T00:00:00", "new": 1}"""
        )
    )

    assert (quote.lines[0].rate, quote.lines[0].sub_items[0].total) == (Decimal("1.05"), Decimal("0.73"))
    assert (quote.credits, quote.total_tax, quote.postage_prices) == ((), None, {})
    assert quote.production_dates["Normal"] == datetime(2026, 12, 1, tzinfo=UTC)
    assert quote.production_dates["Odd"] is None
    assert quote.delivery_min is None
    assert quote.production_prices["HailTrace"] == Decimal("0.35")


@pytest.mark.parametrize("body", ['{"balance": 1}', '{"totalCharges": 1}', "{}"])
def test_a_quote_without_the_member_of_its_price_cannot_be_read(body: str) -> None:
    with pytest.raises(ValidationError):
        Quote.model_validate(read(body))


def test_an_order_of_a_status_nobody_has_heard_of_is_read() -> None:
    order = Order.model_validate(
        {"id": 5, "status": "On The Moon", "deliveredStatus": None, "recipients": None}
    )

    assert (order.status, order.recipients) == ("On The Moon", ())


NESTED = {
    "id": 8,
    "address": {"id": 99, "address1": "1 Ada Way", "city": "Austin", "state": "TX", "zipCode": "01234"},
    "personal": {"firstName": "Ada", "lastName": "L", "toOrganization": "Engines", "salutation": None},
    "metadata": {"custom1": "red", "salutation": "Dear"},
}
FLAT = {
    "id": 8,
    "orderId": 5,
    "firstName": "Ada",
    "lastName": "L",
    "toOrganization": "Engines",
    "salutation": "Dear",
    "address1": "1 Ada Way",
    "address2": None,
    "city": "Austin",
    "state": "TX",
    "zipCode": "01234",
    "custom1": "red",
}


def test_a_recipient_reads_the_same_nested_and_flat() -> None:
    nested, flat = OrderRecipient.model_validate(NESTED), OrderRecipient.model_validate(FLAT)

    assert nested == flat
    assert (nested.id, nested.first_name, nested.organization) == (8, "Ada", "Engines")
    assert (nested.address1, nested.address2, nested.zip_code) == ("1 Ada Way", None, "01234")


def test_no_repr_shows_a_person() -> None:
    new = NewRecipient(
        address=NewAddress(address1="1 Ada Way", city="Austin", state="TX", zipCode="01234"),
        personal=NewPersonal(firstName="Ada"),
        metadata=NewMetadata(custom1="red", email="ada@example.com"),
    )
    turned = AppendResult.model_validate(
        {"totalRecipients": 0, "undeliverable": {"undeliverableRecipients": [NESTED | {"reason": "Moved"}]}}
    )

    shown = repr([new, OrderRecipient.model_validate(FLAT), turned])

    assert "Moved" not in shown
    assert not [word for word in ("Ada", "Austin", "TX", "01234", "red", "example") if word in shown]


def test_a_recipient_that_cannot_be_made_does_not_quote_the_person() -> None:
    address = NewAddress(address1="1 Ada Way", city="Austin", state="TX", zipCode="01234")
    metadata: Any = {"custom7": "red"}

    with pytest.raises(ValueError, match="LettrLabs does not know") as told:
        NewRecipient(address=address, metadata=metadata)

    assert not [word for word in ("Ada", "01234", "red") if word in str(told.value)]


def test_an_append_sends_only_what_is_known_of_a_person() -> None:
    new = NewRecipient(
        address=NewAddress(address1="1 Ada Way", city="Austin", state="TX", zipCode="01234"),
        personal=NewPersonal(firstName=None),
        metadata=NewMetadata(custom1="red", custom2=None, qrUrl="https://x.example"),
    )

    sent = json.loads(new_recipients.body([new]))

    assert sent == {
        "recipients": [
            {
                "address": {"address1": "1 Ada Way", "city": "Austin", "state": "TX", "zipCode": "01234"},
                "metadata": {"custom1": "red", "qrUrl": "https://x.example"},
            }
        ]
    }


def test_an_append_result_tells_who_was_turned_away_and_why() -> None:
    result = AppendResult.model_validate(
        {
            "orderId": 5,
            "totalRecipients": 7,
            "submittedRecipients": 10,
            "acceptedRecipients": 7,
            "deliverable": {"addressValidated": 6, "addressInvalidated": 1},
            "undeliverable": {
                "duplicated": 1,
                "doNotMail": 1,
                "invalidAddress": 1,
                "undeliverableRecipients": [
                    {"address": "1 Ada Way", "zipCode": "01234", "reason": "Duplicate"},
                    NESTED | {"reason": "Do not mail"},
                ],
            },
        }
    )

    assert (result.total, result.submitted, result.accepted) == (7, 10, 7)
    assert (result.duplicated, result.do_not_mail, result.invalid_address) == (1, 1, 1)
    assert [(one.address1, one.zip_code, one.reason) for one in result.undeliverable] == [
        ("1 Ada Way", "01234", "Duplicate"),
        ("1 Ada Way", "01234", "Do not mail"),
    ]


@settings(deadline=None, database=None, max_examples=50)
@given(st.binary(max_size=200), st.sampled_from([200, 400, 401, 403, 404, 422, 500]))
def test_no_body_whatever_breaks_the_reading(body: bytes, status: int) -> None:
    envelope = parse_envelope(Reply(status, body), "LL-API-x")

    assert envelope.words is None or envelope.words.isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["errors", "message", "payload", "hasErrors", "errorDetails", "reasonCode", "x"]),
            inner,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None, database=None, max_examples=50)
@given(JSON, st.sampled_from([200, 400, 500]))
def test_no_json_whatever_breaks_the_reading(document: object, status: int) -> None:
    parse_envelope(Reply(status, json.dumps(document).encode()), "LL-API-x")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-12-01t09:30:00z", datetime(2026, 12, 1, 9, 30, tzinfo=UTC)),
        ("2026-12-31T23:59:60Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-12-31T23:59:60.5+00:00", datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_every_spelling_of_rfc_3339(written: str, meant: datetime) -> None:
    assert Order.model_validate({"id": 1, "status": "Paid", "paidDate": written}).paid_date == meant
