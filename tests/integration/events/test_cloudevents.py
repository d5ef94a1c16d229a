"""CloudEvents as they arrive: the same event in every mode, and whatever else comes is refused in words."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.errors import ConflictError, ErrorCode
from intake.events.cloudevents import BATCH, STRUCTURED, CloudEvent, EventError, read_events
from intake.events.inbox import receive

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "shop",
    "type": "t",
    "time": "2026-11-22T09:30:00Z",
    "data": {"name": "Zoë", "n": 1},
}


def read(document: Any, kind: str = STRUCTURED) -> tuple[CloudEvent, ...]:
    return read_events({"content-type": kind}, json.dumps(document).encode())


def with_data(text: str) -> CloudEvent:
    """Return an event whose data is this JSON, digit by digit."""
    body = json.dumps({**EVENT, "data": "here"}).replace('"here"', text)
    return read_events({"content-type": STRUCTURED}, body.encode())[0]


def test_an_empty_batch_is_legal() -> None:
    assert read([], BATCH) == ()


@pytest.mark.parametrize(
    "text", ["10.50", "1E2", "0.10000000000000000555", "-0.0", "1e-400", '[1.0,{"a":2.50}]']
)
def test_a_number_keeps_its_text(text: str) -> None:
    assert f'"data":{text}' in with_data(text).body


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.1", "0.1000000000000000055511151231257827"),
        ("[1.5, 0.12345678901234567890]", "[1.5, 0.12345678901234567891]"),
        ('{"a": 12345678901234567.0}', '{"a": 12345678901234568.0}'),
        ("0.0", "1e-400"),
        ("9007199254740993", "9007199254740992"),
    ],
)
def test_numbers_that_differ_beyond_double_precision_are_other_content(one: str, other: str) -> None:
    assert with_data(one).digest != with_data(other).digest


@pytest.mark.parametrize(("one", "other"), [("1.50", "1.5"), ("1e2", "100.0"), ("[0.10]", "[1.0e-1]")])
def test_a_number_in_another_spelling_is_the_same_content(one: str, other: str) -> None:
    assert with_data(one).digest == with_data(other).digest


def test_the_content_of_an_event_received_before_an_upgrade_is_still_the_same() -> None:
    earlier = json.dumps({**EVENT, "data": 10.5, "datacontenttype": "application/json"}, sort_keys=True)

    assert with_data("10.50").content == earlier.replace(", ", ",").replace(": ", ":")


@pytest.mark.parametrize("text", ["1e999", "-1e400", "1e-99999999999999999999999"])
def test_a_number_beyond_all_reason_is_refused(text: str) -> None:
    with pytest.raises(EventError, match="out of range"):
        with_data(text)


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-22t09:30:00z",
        "2026-11-22T09:30:00+00:00",
        "2026-12-31T23:59:60Z",
        "2026-11-22T09:30:60.25Z",
        "2026-11-22T09:30:00.1234567890Z",
        "2026-11-22 09:30:00Z",
    ],
)
def test_a_time_is_taken_in_every_spelling_of_rfc_3339(time: str) -> None:
    read({**EVENT, "time": time})


@pytest.mark.parametrize(
    "time",
    [
        "2026-W47-7T09:30:00Z",
        "20261122T093000Z",
        "2026-326T09:30:00Z",
        "2026-11-22",
        "2026-11-22T09Z",
        "2026-11-22T09:30Z",
        "2026-11-22T09:30:00+0100",
        "2026-11-22T24:00:00Z",
        "2026-11-31T09:30:00Z",
        "9999-12-31T23:59:60Z",
        "\u0662026-11-22T09:30:00Z",
    ],
)
def test_a_time_of_another_format_is_refused(time: str) -> None:
    with pytest.raises(EventError, match='"time" is not a time'):
        read({**EVENT, "time": time})


def test_one_event_is_the_same_in_every_mode() -> None:
    headers = {f"ce-{name}": value for name, value in EVENT.items() if name != "data"}
    body = json.dumps(EVENT["data"]).encode()

    binary = read_events({"content-type": "application/json; charset=utf-8", **headers}, body)

    assert binary == read(EVENT) == read([EVENT], BATCH)


def test_attributes_in_headers_are_percent_decoded() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "a%20b", "ce-type": "t"}

    (event,) = read_events(headers, b"")

    assert event.source == "a b"


def test_the_order_of_members_is_not_content_but_a_value_is() -> None:
    turned = dict(reversed(EVENT.items()))

    assert read(turned)[0].digest == read(EVENT)[0].digest
    assert read({**EVENT, "data": {"n": 2}})[0].digest != read(EVENT)[0].digest


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"specversion": "0.3"}, '"specversion" must be "1.0"'),
        ({"id": ""}, '"id" is needed'),
        ({"id": 7}, '"id" is needed'),
        ({"source": "a\x00b"}, '"source" is needed'),
        ({"type": "x" * 201}, '"type" is needed'),
        ({"id": "\ud800"}, '"id" is needed'),
        ({"time": "yesterday"}, '"time" is not a time'),
        ({"time": "2026-11-22T09:30:00"}, '"time" is not a time'),
        ({"Extension": "x"}, "An attribute's name"),
        ({"extension": {"a": 1}}, '"extension" is not text'),
        ({"data": 1e999}, "not JSON"),
        ({"data_base64": "AAAA"}, "data must be JSON"),
        ({"datacontenttype": "text/plain"}, "data must be JSON"),
        ({"data": json.loads("[" * 40 + "]" * 40)}, "nested more than 32"),
    ],
)
def test_what_is_no_event_is_refused_in_words(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(EventError) as error:
        read({**EVENT, **changes})

    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("kind", "body", "fault"),
    [
        (STRUCTURED, b"{", ErrorCode.NOT_JSON),
        (STRUCTURED, b"[" * 100_000, ErrorCode.NOT_JSON),
        (STRUCTURED, b'{"data": ' + b"9" * 5000 + b"}", ErrorCode.NOT_JSON),
        (STRUCTURED, b"[]", ErrorCode.NOT_AN_EVENT),
        (BATCH, b"{}", ErrorCode.NOT_AN_EVENT),
        (BATCH, json.dumps([EVENT] * 501).encode(), ErrorCode.NOT_AN_EVENT),
        ("application/cloudevents+avro", b"{}", ErrorCode.UNKNOWN_FORMAT),
        ("application/json", b"{}", ErrorCode.UNKNOWN_FORMAT),
        ("", b"", ErrorCode.UNKNOWN_FORMAT),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_by_kind(kind: str, body: bytes, fault: ErrorCode) -> None:
    with pytest.raises(EventError) as error:
        read_events({"content-type": kind}, body)

    assert error.value.fault is fault


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.sampled_from([STRUCTURED, BATCH, "application/json"]), _JSON | st.just(EVENT), st.binary(max_size=30)
)
def test_whatever_comes_is_an_event_or_is_refused(kind: str, document: Any, junk: bytes) -> None:
    for body in (json.dumps(document).encode(), junk):
        try:
            events = read_events({"content-type": kind, "ce-specversion": "1.0", "ce-id": "1"}, body)
        except EventError:
            continue
        else:
            assert all(json.loads(event.body)["id"] == event.id for event in events)


def test_an_event_is_received_once_and_other_content_is_refused(engine: Any) -> None:
    (event,) = read(EVENT)
    (other,) = read({**EVENT, "data": {"n": 2}})

    first, again = receive(engine, [event])[0], receive(engine, [event])[0]

    assert (first.created, again.created, again.number) == (True, False, first.number)
    with pytest.raises(ConflictError, match=f"belong to event {first.number}"):
        receive(engine, [other])


def test_a_batch_is_taken_whole_or_not_at_all(engine: Any) -> None:
    (event,) = read(EVENT)
    (other,) = read({**EVENT, "data": {"n": 2}})
    (fresh,) = read({**EVENT, "id": "2"})
    receive(engine, [event])

    with pytest.raises(ConflictError, match="Event 2 of the batch"):
        receive(engine, [fresh, other])

    assert receive(engine, [fresh])[0].created


def test_two_different_events_of_one_id_in_one_batch_are_refused(engine: Any) -> None:
    one, other = with_data("0.1"), with_data("0.10000000000000000555")

    with pytest.raises(ConflictError, match="Event 2 of the batch"):
        receive(engine, [one, other])

    assert receive(engine, [one])[0].created


def test_an_empty_batch_is_received_as_nothing(engine: Any) -> None:
    assert receive(engine, []) == []


def test_an_event_twice_in_one_batch_has_one_receipt(engine: Any) -> None:
    (event,) = read(EVENT)

    first, second = receive(engine, [event, event])

    assert first.number == second.number
