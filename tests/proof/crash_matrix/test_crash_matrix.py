"""A worker dies by SIGKILL on either side of every commit and every vendor call; another takes over.

The judge is the sandbox's ledger: one live order, each person once, one charge, nothing left over. The deaths are
enumerated, not sampled: a quiet run tells where one can die.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

import pytest

from models import State

T = TypeVar("T")
PEOPLE = 3


def test_a_worker_that_dies_anywhere_is_replaced_without_a_trace(lanes: list[Any]) -> None:
    names = die(lanes[0], [])
    assert "after PUT /v1/order/#/recipients:append" in names
    assert "before POST /v1/order/#/checkout" in names

    in_lanes(lanes, lambda lane, at: die(lane, [at]), range(len(names)))


@pytest.mark.chaos
def test_a_second_death_during_the_recovery_of_the_first_leaves_no_trace_either(lanes: list[Any]) -> None:
    names = die(lanes[0], [])
    recoveries = in_lanes(lanes, lambda lane, at: die(lane, [at]), range(len(names)))
    pairs = [[at, then] for at, passed in enumerate(recoveries) for then in range(len(passed))]
    in_lanes(lanes, die, pairs)


def die(lane: Any, deaths: Sequence[int]) -> list[str]:
    """Let one worker after the other die, then judge what a last one makes of it; returns where that passed."""
    before = lane.sandbox.ledger()
    with lane.case() as case:
        for at in deaths:
            case.run_worker(die_at=at)
            case.let_lease_expire()
        passed: list[str] = case.run_worker(die_at=None)
        judge(before, lane.sandbox.ledger(), case, f"died at {deaths}")
    return passed


def judge(before: dict[str, Any], after: dict[str, Any], case: Any, story: str) -> None:
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


def in_lanes(lanes: list[Any], run: Callable[[Any, T], list[str]], cases: Iterable[T]) -> list[list[str]]:
    """Run every case on whichever lane is free; a failure of one is raised once those under way have ended."""
    free: SimpleQueue[Any] = SimpleQueue()
    for lane in lanes:
        free.put(lane)

    def on_a_lane(case: T) -> list[str]:
        lane = free.get()
        try:
            return run(lane, case)
        finally:
            free.put(lane)

    with ThreadPoolExecutor(len(lanes)) as pool:
        results = [pool.submit(on_a_lane, case) for case in cases]
        try:
            return [result.result() for result in results]
        finally:
            for result in results:
                result.cancel()
