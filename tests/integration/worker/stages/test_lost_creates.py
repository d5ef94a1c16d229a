"""A draft that a read does not show leads to no new create, and spare drafts stay, until the window is over."""

from typing import Any

import pytest

from models import Stage
from worker.periodic import orphan_sweep


def lose_a_create(hands: Any, sandbox: Any, fault: str = "cut_after", **values: Any) -> int:
    sandbox.fail("create_order", fault, count=1)
    mailing_id: int = hands.new_mailing(**values)
    hands.deliver(mailing_id)
    return mailing_id


def until_created(hands: Any, sandbox: Any, mailing_id: int) -> float:
    """Do what comes until the next create of this mailing, or its draft; return the seconds that it took."""
    began, before = hands.clock.at, sandbox.calls("create_order")
    while sandbox.calls("create_order") == before and hands.step(mailing_id).stage is Stage.CREATE:
        pass
    return (hands.clock.at - began).total_seconds()  # type: ignore[no-any-return]


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("strangers", [0, 1, 3])
def test_a_lost_create_is_not_repeated_within_the_window_whatever_else_shows(
    hands: Any, sandbox: Any, *, exclusive: bool, strangers: int
) -> None:
    there = hands.with_settings(exclusive=exclusive)
    sandbox.set(ordersLagSeconds=25)
    mailing_id = lose_a_create(there, sandbox)
    made = [one["id"] for one in sandbox.orders()]
    foreign = [hands.stranger_makes_a_draft() for _ in range(strangers)]

    seconds = until_created(there, sandbox, mailing_id)

    row = hands.pen.mailing(mailing_id)
    window = hands.context.settings.visibility_window_seconds
    assert seconds >= window or row.order_id in made + foreign
    if not exclusive:
        assert seconds >= window
        assert hands.strays() == dict.fromkeys([*made, *foreign], "seen")


def test_spare_drafts_are_kept_until_the_window_of_the_last_lost_create_is_over(
    hands: Any, sandbox: Any
) -> None:
    lost = [lose_a_create(hands, sandbox, template_id=template) for template in (1001, 1002)]
    hands.step(lost[0])
    hands.forward(20)
    lost.append(lose_a_create(hands, sandbox, template_id=1001))

    until_created(hands, sandbox, lost[0])
    assert sandbox.calls("delete_order") == 0
    for mailing_id in lost[1:]:
        until_created(hands, sandbox, mailing_id)

    assert sandbox.calls("delete_order") == 3
    assert len(sandbox.orders()) == 3


def test_a_second_draft_of_one_template_is_kept_for_the_sweep(hands: Any, sandbox: Any) -> None:
    mailing_id = lose_a_create(hands, sandbox)
    hands.pen.forge(mailing_id, recovering=False)
    sandbox.fail("create_order", "cut_after", count=1)
    hands.until(hands.pen.mailing(mailing_id).not_before)
    hands.deliver(mailing_id)

    hands.on_to(Stage.ATTACH, mailing_id)
    assert sandbox.calls("delete_order") == 0
    for _ in range(2):
        hands.forward(3600)
        orphan_sweep.run_once(hands.context, hands.clock.at)

    assert sandbox.order()["id"] == hands.pen.mailing(mailing_id).order_id
