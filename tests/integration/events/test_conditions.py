"""Conditions on an event's data: compared as JSON means it, and absent is never equal."""

from typing import Any

import pytest

from intake.events.conditions import Condition, value_at
from intake.events.json_numbers import read_json

EVENT = {
    "type": "t",
    "data": {"n": 20, "s": "pro-plus", "b": True, "no": None, "tags": ["a", "b"], "in": {"x": 1}},
}


@pytest.mark.parametrize(
    ("path", "test", "holds"),
    [
        ("data.n", 20, True),
        ("data.n", 20.0, True),
        ("data.n", "20", False),
        ("data.b", True, True),
        ("data.b", 1, False),
        ("data.n", {"at_least": 20}, True),
        ("data.n", {"above": 20}, False),
        ("data.n", {"above": 5, "below": 21}, True),
        ("data.n", {"at_most": 19}, False),
        ("data.b", {"at_least": 0}, False),
        ("data.s", {"at_least": 1}, False),
        ("data.s", {"begins_with": "pro"}, True),
        ("data.s", {"contains": "plus"}, True),
        ("data.tags", {"contains": "b"}, True),
        ("data.in", {"contains": "x"}, False),
        ("data.s", {"one_of": ["basic", "pro-plus"]}, True),
        ("data.s", {"is_not": "basic"}, True),
        ("data.gone", {"is_not": "basic"}, False),
        ("data.gone", {"exists": False}, True),
        ("data.no", {"exists": True}, False),
        ("data.no", {"exists": False}, True),
        ("data.s", {"exists": True}, True),
        ("data.tags.1", "b", True),
        ("data.tags.9", "b", False),
        ("data.s.x", "b", False),
        ("type", "t", True),
    ],
)
def test_a_condition_holds_or_does_not(path: str, test: Any, holds: bool) -> None:
    assert Condition.model_validate(test).holds(EVENT, path) is holds


def test_a_place_that_is_not_there_is_nothing() -> None:
    assert value_at(EVENT, "data.in.y.z") is None


def test_a_number_is_printed_as_it_was_written_and_compared_by_its_value() -> None:
    event = read_json('{"data": {"total": 10.50}}')

    assert str(value_at(event, "data.total")) == "10.50"
    assert Condition.model_validate({"is": 10.5}).holds(event, "data.total")
    assert Condition.model_validate({"above": 10}).holds(event, "data.total")
