"""Several mailings of one message, worked on side by side: they share commits, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import event

from models import Stage, State
from worker import transitions
from worker.engine import parallel, pipeline
from worker.engine.pipeline import ChainAction
from worker.engine.run_budget import MESSAGE_BATCH_SIZE, RunBudget

_PATIENCE_SECONDS = 20.0


def slow(seconds: float = 60) -> RunBudget:
    """Return the pace of a worker that has met a slow vendor."""
    return RunBudget(seconds=seconds, last_calls=(0.3,) * 8)


def deliver(
    hands: Any, mailings: list[int], stage: Stage = Stage.CREATE, pace: RunBudget | None = None
) -> ChainAction:
    return pipeline.process(hands.context, mailings, stage, pace or RunBudget(seconds=60))


def rows(hands: Any, mailings: list[int]) -> list[Any]:
    return [hands.pen.mailing(one) for one in mailings]


def meanwhile(
    hands: Any, sandbox: Any, endpoint: str, mailings: list[int], act: Callable[[], object]
) -> None:
    """Deliver a message; while the first of its calls to an endpoint is under way, do as told."""
    sandbox.fail(endpoint, "slow", seconds=0.3, count=1, applied=True)
    worker = Thread(target=deliver, args=(hands, mailings), daemon=True)
    worker.start()
    while not sandbox.faults()[-1]["fired"]:
        assert worker.is_alive(), f"it never called {endpoint}"
    act()
    worker.join(_PATIENCE_SECONDS)
    assert not worker.is_alive()


@contextmanager
def commits(hands: Any) -> Iterator[list[object]]:
    """Yield what grows with each commit."""
    counted: list[object] = []

    def commit(connection: object) -> None:
        counted.append(connection)

    event.listen(hands.context.engine, "commit", commit)
    yield counted
    event.remove(hands.context.engine, "commit", commit)


def test_each_mailing_of_a_message_becomes_one_paid_order_of_its_own(
    hands: Any, sandbox: Any, several: Any
) -> None:
    mailings = several(MESSAGE_BATCH_SIZE)

    said = deliver(hands, mailings)

    assert said is ChainAction.NOTHING
    found = rows(hands, mailings)
    assert {(row.stage, row.state) for row in found} == {(Stage.SETTLE, State.QUEUED)}
    orders = {one["id"]: one for one in sandbox.orders()}
    assert sorted(row.order_id for row in found) == sorted(orders)
    for row in found:
        names = {person.first_name for person in hands.pen.recipients(row.id)}
        assert len(names) == len(orders[row.order_id]["recipients"]) == 2
    assert {hands.to_the_end(one).state for one in mailings} == {State.SENT}
    assert sandbox.calls("checkout") == sandbox.calls("create_order") == MESSAGE_BATCH_SIZE


def test_the_journal_and_the_log_of_each_tell_of_it_alone(hands: Any, several: Any) -> None:
    together, (alone,) = several(3), [hands.new_mailing(2)]
    deliver(hands, together)
    deliver(hands, [alone])

    expected = [(call.operation, call.stage) for call in hands.journal(alone)]
    for mailing in together:
        journal = hands.journal(mailing)
        assert [(call.operation, call.stage) for call in journal] == expected
        assert {call.order_id for call in journal} == {hands.pen.mailing(mailing).order_id}
        assert hands.pen.moves(mailing) == hands.pen.moves(alone)


def test_one_that_is_refused_keeps_no_other(hands: Any, several: Any) -> None:
    refused, others = hands.new_mailing(2, template_id=4040), several(3)

    deliver(hands, [others[0], refused, *others[1:]])

    assert hands.pen.mailing(refused).reason_code == "create_refused"
    assert {(row.stage, row.state) for row in rows(hands, others)} == {(Stage.SETTLE, State.QUEUED)}


def test_an_answer_that_is_lost_leaves_one_unsure_and_the_others_done(
    hands: Any, sandbox: Any, several: Any
) -> None:
    mailings = several(4)
    sandbox.fail("create_order", "cut_after", count=1)

    deliver(hands, mailings)

    unsure, *others = rows(hands, mailings)
    assert (unsure.stage, unsure.recovering) == (Stage.CREATE, True)
    assert {row.stage for row in others} == {Stage.SETTLE}
    assert hands.to_the_end(mailings[0]).state is State.SENT
    assert len(sandbox.orders()) == 4


def test_an_order_that_another_mailing_has_stops_only_the_one_that_got_it(
    hands: Any, sandbox: Any, several: Any
) -> None:
    mailings, (_, holder) = several(3), [hands.to(Stage.ATTACH) for _ in range(2)]
    before, last = (one["id"] for one in sandbox.orders())
    hands.pen.forge(holder, order_id=last + 2 * (last - before))

    deliver(hands, mailings)

    first, second, third = rows(hands, mailings)
    assert (first.stage, third.stage) == (Stage.SETTLE, Stage.SETTLE)
    assert (second.stage, second.state, second.order_id) == (Stage.CREATE, State.QUEUED, None)
    assert second.reason == "somebody else decided about the order first"


@pytest.mark.parametrize("pace", [RunBudget(seconds=60), slow()], ids=["fast", "slow"])
def test_what_the_database_refuses_of_one_mailing_keeps_no_other(
    hands: Any, several: Any, refuse: Callable[[int], None], caplog: pytest.LogCaptureFixture, pace: RunBudget
) -> None:
    mailings = several(4)
    refuse(mailings[1])

    deliver(hands, mailings, pace=pace)

    refused = hands.pen.mailing(mailings[1])
    assert (refused.stage, refused.state) == (Stage.ATTACH, State.WORKING)
    others = [one for one in mailings if one != refused.id]
    assert {(row.stage, row.state) for row in rows(hands, others)} == {(Stage.SETTLE, State.QUEUED)}
    assert f"database_trouble: mailing {refused.id}, attach: DataError" in caplog.text


def only_two_are_paid(hands: Any, sandbox: Any, mailings: list[int]) -> None:
    """Require that one of three waits for a person, and the others were checked out."""
    assert sorted((row.stage, row.state) for row in rows(hands, mailings)) == [
        (Stage.CHECKOUT, State.APPROVAL),
        (Stage.SETTLE, State.QUEUED),
        (Stage.SETTLE, State.QUEUED),
    ]
    assert sandbox.calls("checkout") == 2


def test_what_does_not_fit_into_a_budget_waits_and_the_rest_is_paid(
    hands: Any, sandbox: Any, two_of_three_fit: list[int]
) -> None:
    deliver(hands, two_of_three_fit, Stage.CHECKOUT)

    only_two_are_paid(hands, sandbox, two_of_three_fit)


def test_cancelling_one_whose_turn_is_still_to_come_lets_none_of_it_be_made(
    hands: Any, sandbox: Any, several: Any
) -> None:
    mailings = several(3)

    def cancel() -> None:
        with hands.context.engine.begin() as connection:
            transitions.cancel(connection, mailings[1], "a person", hands.clock.at)
        hands.clock.forward(1)

    meanwhile(hands, sandbox, "create_order", mailings, cancel)

    assert [row.state for row in rows(hands, mailings)] == [State.QUEUED, State.CANCELLED, State.QUEUED]
    assert len(sandbox.orders()) == 2


def test_a_pause_keeps_those_from_being_made_whose_turn_is_still_to_come(
    hands: Any, sandbox: Any, several: Any
) -> None:
    mailings = several(4)

    def pause() -> None:
        with hands.context.engine.begin() as connection:
            transitions.pause(connection, None, hands.clock.at)
        hands.clock.forward(1)

    meanwhile(hands, sandbox, "create_order", mailings, pause)

    assert len(sandbox.orders()) == 1
    assert {row.state for row in rows(hands, mailings)} == {State.QUEUED}
    with hands.context.engine.begin() as connection:
        transitions.unpause(connection, None, hands.clock.at, hands.context.redispatch_after)
    assert {hands.to_the_end(one).state for one in mailings} == {State.SENT}
    assert sandbox.calls("create_order") == 4


def test_a_worker_that_is_stopped_gives_back_those_it_did_not_begin(
    hands: Any, sandbox: Any, several: Any
) -> None:
    mailings = several(3)

    said = deliver(hands, mailings, pace=RunBudget(stopping=True))

    assert said is ChainAction.GO_ON
    first, *others = rows(hands, mailings)
    assert (first.stage, first.state) == (Stage.ATTACH, State.QUEUED)
    assert {(row.stage, row.state, row.attempts) for row in others} == {(Stage.CREATE, State.QUEUED, 0)}
    assert all(row.wake_at <= hands.clock.at for row in others)
    assert sandbox.calls("create_order") == 1


def test_a_mailing_that_a_message_names_twice_is_worked_on_once(
    hands: Any, sandbox: Any, several: Any
) -> None:
    mailings = several(2)

    deliver(hands, mailings * 2)

    assert {(row.stage, row.state) for row in rows(hands, mailings)} == {(Stage.SETTLE, State.QUEUED)}
    assert sandbox.calls("create_order") == sandbox.calls("checkout") == 2


def test_what_is_to_be_found_out_about_is_not_claimed_among_others(hands: Any, several: Any) -> None:
    dead, unsure, *others = several(4)
    hands.abandon(dead)
    hands.pen.forge(unsure, recovering=True, unsure_since=hands.clock.at)

    deliver(hands, [dead, unsure, *others])

    assert {row.stage for row in rows(hands, others)} == {Stage.SETTLE}
    assert {(row.stage, row.claim is None) for row in rows(hands, [unsure])} == {(Stage.CREATE, True)}
    assert hands.pen.mailing(dead).attempts == 0
    assert {hands.to_the_end(one).state for one in (dead, unsure)} == {State.SENT}


def test_a_row_that_somebody_is_changing_is_left_out_and_not_waited_for(hands: Any, several: Any) -> None:
    taken, *others = several(3)
    with hands.context.engine.begin() as connection:
        transitions.cancel(connection, taken, "a person", hands.clock.at)
        deliver(hands, [taken, *others])
        connection.rollback()

    assert {row.stage for row in rows(hands, others)} == {Stage.SETTLE}
    assert hands.pen.mailing(taken).stage is Stage.CREATE


def test_on_a_shared_account_each_new_order_is_written_down_at_once(hands: Any, several: Any) -> None:
    mailings, shared = several(3), hands.with_settings(exclusive=False)

    with commits(hands) as counted:
        deliver(shared, mailings, pace=RunBudget(seconds=0))

    assert len(counted) == 1 + len(mailings)


def test_a_message_that_comes_too_early_for_some_leaves_the_chain_to_them(hands: Any, several: Any) -> None:
    ahead, behind = several(2)
    deliver(hands, [ahead], pace=RunBudget(seconds=0))

    said = deliver(hands, [ahead, behind])

    assert said is ChainAction.GO_ON
    assert [row.stage for row in rows(hands, [ahead, behind])] == [Stage.ATTACH, Stage.SETTLE]


def test_what_took_long_is_committed_before_the_next_begins(
    hands: Any, several: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailings = several(3)
    monkeypatch.setattr(parallel, "_UNCOMMITTED_SECONDS", 0.0)

    with commits(hands) as counted:
        deliver(hands, mailings, pace=RunBudget(seconds=0))

    assert len(counted) == 1 + len(mailings)


def test_a_claim_that_runs_out_between_two_turns_is_not_written_under(
    hands: Any, sandbox: Any, several: Any
) -> None:
    mailings = several(2)

    def time_passes() -> None:
        hands.clock.forward(hands.context.lease.total_seconds() + 1)
        with hands.context.engine.begin() as connection:
            claimed = transitions.claim(
                connection, mailings[1], Stage.CREATE, hands.clock.at, timedelta(hours=1)
            )
            assert claimed is not None

    meanwhile(hands, sandbox, "create_order", mailings, time_passes)

    assert sandbox.calls("create_order") == 1
    assert hands.pen.mailing(mailings[1]).state is State.WORKING
