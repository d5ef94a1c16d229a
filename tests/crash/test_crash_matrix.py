"""A worker dies by SIGKILL on either side of every commit and every vendor call; another takes over.

The judge is the sandbox's ledger: one live order, each person once, one charge, nothing left over.
"""

from collections.abc import Callable
from typing import Any

import pytest

from models import State

PEOPLE = 3


def judge(before: dict[str, Any], after: dict[str, Any], case: Any, story: str) -> None:  # noqa: ANN401
    """Hold what happened at the vendor since `before` against the promise."""
    row = case.row()
    old = {order["id"] for order in before["orders"]}
    live = [order for order in after["orders"] if order["id"] not in old and not order["deleted"]]
    assert row.state is State.SENT, f"{story}: {case.story()}"
    assert [order["id"] for order in live] == [row.order_id], f"{story}: strays left; {case.story()}"
    assert len(live[0]["recipients"]) == PEOPLE, story
    assert len(live[0]["charges"]) == 1, story
    new_people = {key: count for key, count in after["people"].items() if key not in before["people"]}
    assert sorted(new_people.values()) == [1] * PEOPLE, story
    assert row.charged == row.quoted, story


def boundaries_of_a_quiet_run(new_case: Callable[..., Any]) -> list[str]:
    with new_case() as case:
        passed: list[str] = case.run_worker(die_at=None)
        assert case.row().state is State.SENT, case.story()
    return passed


def test_a_worker_that_dies_anywhere_is_replaced_without_a_trace(
    new_case: Callable[..., Any], sandbox: Any
) -> None:
    names = boundaries_of_a_quiet_run(new_case)
    assert "after PUT /v1/order/#/recipients:append" in names
    assert "before POST /v1/order/#/checkout" in names

    for at, name in enumerate(names):
        before = sandbox.ledger()
        with new_case() as case:
            case.run_worker(die_at=at)
            case.let_lease_expire()
            case.run_worker(die_at=None)
            judge(before, sandbox.ledger(), case, f"died at {at}, {name}")
