"""A vendor that never answers for one mailing: a person is asked, unless it answers for no other either."""

from collections.abc import Callable
from typing import Any

import pytest

from console.queries.attention import list_waiting
from lettrlabs.transport import NoResponse, Reply, Transport
from models import Stage, State
from worker import transitions

HOUR = 3600.0
TROUBLES = {
    "500": Reply(500, b"", None),
    "503 with a pause": Reply(503, b"", None, 1.0),
    "no plan": Reply(403, b"", None),
    "silence": NoResponse(sent=True, why="no answer"),
}


@pytest.fixture
def broken(hands: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Any], None]:
    """Return a function by which the vendor has the same trouble with every read of one mailing's order."""

    def break_one(mailing_id: int, trouble: Any) -> None:
        order_id, real = str(hands.pen.mailing(mailing_id).order_id), Transport.exchange

        def exchange(self: Transport, method: str, target: str, *rest: Any) -> Any:
            struck = order_id in target and method != "POST"
            return trouble if struck else real(self, method, target, *rest)

        monkeypatch.setattr(Transport, "exchange", exchange)

    return break_one


def go_on_for(hands: Any, mailing_id: int, seconds: float, *, others: bool) -> Any:
    """Work on a mailing for so long, while others are sent or none is."""
    until = hands.clock.at.timestamp() + seconds
    row = hands.pen.mailing(mailing_id)
    while hands.clock.at.timestamp() < until and row.state is State.QUEUED:
        if others:
            hands.to_the_end(hands.new_mailing(1))
        row = hands.step(mailing_id)
    return row


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
@pytest.mark.parametrize("stage", [Stage.PROOF, Stage.SETTLE])
def test_one_order_that_never_answers_is_for_a_person_while_others_go_on(
    hands: Any, broken: Any, stage: Stage, trouble: Any
) -> None:
    broken(mailing_id := hands.to(stage), trouble)

    row = go_on_for(hands, mailing_id, HOUR / 2, others=True)
    assert row.state is State.QUEUED
    row = go_on_for(hands, mailing_id, 2 * HOUR, others=True)

    assert (row.stage, row.state, row.reason_code) == (stage, State.ATTENTION, "unanswered")
    assert f"other mailings pass {stage}" in row.reason


def test_a_vendor_that_answers_for_no_mailing_is_waited_for_and_shown_as_waited_for(
    hands: Any, broken: Any
) -> None:
    broken(mailing_id := hands.to(Stage.PROOF), TROUBLES["500"])

    row = go_on_for(hands, mailing_id, 5 * HOUR, others=False)

    assert row.state is State.QUEUED
    with hands.context.engine.connect() as connection:
        (waiting,) = list_waiting(connection, hands.clock.at, 10)
    assert (waiting.mailing_id, waiting.since) == (mailing_id, row.unanswered_since)
    assert "could not be reached" in waiting.reason


def test_a_vendor_that_asks_for_pauses_is_waited_for(hands: Any, broken: Any) -> None:
    broken(mailing_id := hands.to(Stage.PROOF), Reply(429, b"", None, 60.0))

    row = go_on_for(hands, mailing_id, 3 * HOUR, others=True)

    assert (row.state, row.unanswered_since) == (State.QUEUED, None)


def test_an_answer_in_between_begins_the_wait_anew(hands: Any, broken: Any, monkeypatch: Any) -> None:
    broken(mailing_id := hands.to(Stage.PROOF), TROUBLES["500"])
    assert go_on_for(hands, mailing_id, HOUR / 2, others=False).unanswered_since is not None
    monkeypatch.undo()

    assert hands.to_the_end(mailing_id).unanswered_since is None


def test_a_draft_whose_deletion_is_never_answered_is_for_a_person(hands: Any, broken: Any) -> None:
    broken(mailing_id := hands.to(Stage.PROOF), TROUBLES["500"])
    with hands.context.engine.begin() as connection:
        transitions.cancel(connection, mailing_id, "Ada", hands.clock.at)

    row = go_on_for(hands, mailing_id, 2 * HOUR, others=True)

    assert (row.state, row.reason_code) == (State.ATTENTION, "unanswered")


def test_a_stray_that_can_never_be_deleted_does_not_hold_up_the_creates(hands: Any, sandbox: Any) -> None:
    sandbox.fail("create_order", "cut_after", count=2)
    mailings = [hands.new_mailing(template_id=template) for template in (1001, 1002)]
    for mailing_id in mailings:
        hands.deliver(mailing_id)
    sandbox.fail("delete_order", "error_before")

    rows = [hands.pen.mailing(hands.on_to(Stage.ATTACH, one)) for one in mailings]

    made = {order["id"]: order["templateId"] for order in sandbox.orders()}
    assert all(made[row.order_id] == row.template_id for row in rows)
