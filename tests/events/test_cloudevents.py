"""CloudEvents as they arrive: the same event in every mode, and whatever else comes is refused in words."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.cloudevents import BATCH, STRUCTURED, CloudEvent, EventError, read_events
from intake.events import receive
from intake.faults import ConflictError, Fault

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
        (STRUCTURED, b"{", Fault.NOT_JSON),
        (STRUCTURED, b"[" * 100_000, Fault.NOT_JSON),
        (STRUCTURED, b'{"data": ' + b"9" * 5000 + b"}", Fault.NOT_JSON),
        (STRUCTURED, b"[]", Fault.NOT_AN_EVENT),
        (BATCH, b"{}", Fault.NOT_AN_EVENT),
        (BATCH, b"[]", Fault.NOT_AN_EVENT),
        (BATCH, json.dumps([EVENT] * 501).encode(), Fault.NOT_AN_EVENT),
        ("application/cloudevents+avro", b"{}", Fault.UNKNOWN_FORMAT),
        ("application/json", b"{}", Fault.UNKNOWN_FORMAT),
        ("", b"", Fault.UNKNOWN_FORMAT),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_by_kind(kind: str, body: bytes, fault: Fault) -> None:
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


def test_an_event_twice_in_one_batch_has_one_receipt(engine: Any) -> None:
    (event,) = read(EVENT)

    first, second = receive(engine, [event, event])

    assert first.number == second.number
