"""What a claim needs, each condition in a pair: with it the claim is given, without it not."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from models import Campaign, CreateGate, Installation, Stage, State
from tests.integration.worker.board import LEASE, NOW, Cell, StateMatrix
from worker import transitions
from worker.transitions import ClaimedMailing

JUST_BEFORE = NOW - timedelta(microseconds=1)
JUST_AFTER = NOW + timedelta(microseconds=1)
QUEUED = [(State.QUEUED, stage) for stage in Stage]
ABANDONED = [(State.WORKING, stage) for stage in Stage]
by_stage = pytest.mark.parametrize("stage", list(Stage))


def claim(board: StateMatrix, cell: Cell, stage: Stage | None = None) -> ClaimedMailing | None:
    return transitions.claim(board.connection, board.ids[cell], stage or cell[1], NOW, LEASE)


def claimed(board: StateMatrix, cells: list[Cell]) -> list[Stage]:
    return [cell[1] for cell in cells if claim(board, cell)]


def abandon(board: StateMatrix, **values: Any) -> None:
    for cell in ABANDONED:
        board.forge(cell, **{"lease_until": NOW, "wake_at": NOW, **values})


def set_all(board: StateMatrix, table: type[Any], **values: Any) -> None:
    board.connection.execute(update(table).values(**values))


@by_stage
def test_a_message_for_the_rows_own_stage__yes(board: StateMatrix, stage: Stage) -> None:
    assert claim(board, (State.QUEUED, stage))


@by_stage
def test_a_message_for_another_stage__no(board: StateMatrix, stage: Stage) -> None:
    for other in Stage:
        assert (claim(board, (State.QUEUED, stage), other) is not None) == (other is stage)


@by_stage
def test_a_row_whose_time_has_come__yes(board: StateMatrix, stage: Stage) -> None:
    board.forge((State.QUEUED, stage), not_before=NOW, wake_at=NOW + timedelta(days=1))
    assert claim(board, (State.QUEUED, stage))


@by_stage
def test_a_row_whose_time_has_not_come__no(board: StateMatrix, stage: Stage) -> None:
    board.forge((State.QUEUED, stage), not_before=JUST_AFTER, wake_at=JUST_BEFORE)
    assert claim(board, (State.QUEUED, stage)) is None


def test_a_lease_that_has_run_out__yes(board: StateMatrix) -> None:
    abandon(board)
    assert claimed(board, ABANDONED) == list(Stage)


def test_a_lease_that_still_runs__no(board: StateMatrix) -> None:
    abandon(board, lease_until=JUST_AFTER)
    assert claimed(board, ABANDONED) == []


def test_nothing_paused__yes(board: StateMatrix) -> None:
    abandon(board)
    assert claimed(board, QUEUED + ABANDONED) == [*Stage, *Stage]


def test_everything_paused__no_but_what_was_paid_settles(board: StateMatrix) -> None:
    abandon(board)
    set_all(board, Installation, paused_at=NOW)
    assert claimed(board, QUEUED + ABANDONED) == [Stage.SETTLE, Stage.SETTLE]


def test_its_campaign_paused__no_but_what_was_paid_settles(board: StateMatrix) -> None:
    abandon(board)
    set_all(board, Campaign, paused_at=NOW)
    assert claimed(board, QUEUED + ABANDONED) == [Stage.SETTLE, Stage.SETTLE]


def test_another_campaign_paused__yes(board: StateMatrix) -> None:
    other = {"key": "other", "request_digest": b"d", "name": "Other", "paused_at": NOW}
    counts = {"rows": 0, "people": 0, "rejected": 0, "mailings": 0}
    board.connection.execute(insert(Campaign).values(**other, **counts))
    assert claimed(board, QUEUED) == list(Stage)


def test_a_disarmed_database__no_but_what_was_paid_settles(board: StateMatrix) -> None:
    abandon(board)
    set_all(board, Installation, disarmed_at=NOW, disarmed_why="restored")
    assert claimed(board, QUEUED + ABANDONED) == [Stage.SETTLE, Stage.SETTLE]


def test_the_create_gate_open__yes(board: StateMatrix) -> None:
    set_all(board, CreateGate, holder=1, closed_until=NOW)
    assert claimed(board, QUEUED) == list(Stage)


def test_the_create_gate_closed__no_new_create_and_all_else(board: StateMatrix) -> None:
    set_all(board, CreateGate, holder=1, closed_until=JUST_AFTER)
    assert claimed(board, QUEUED) == [stage for stage in Stage if stage is not Stage.CREATE]


def test_the_create_gate_closed_and_the_create_unsure__yes(board: StateMatrix) -> None:
    set_all(board, CreateGate, holder=1, closed_until=JUST_AFTER)
    abandon(board)
    board.forge((State.QUEUED, Stage.CREATE), recovering=True, unsure_since=NOW)
    assert claim(board, (State.QUEUED, Stage.CREATE))
    assert claim(board, (State.WORKING, Stage.CREATE))


@pytest.mark.parametrize("state", [state for state in State if state not in {State.QUEUED, State.WORKING}])
def test_a_row_that_waits_for_a_person_or_has_ended__no(board: StateMatrix, state: State) -> None:
    cells = [cell for cell in board.ids if cell[0] is state]
    assert cells
    assert claimed(board, cells) == []


@by_stage
def test_a_claim_counts_an_attempt_and_holds_for_the_lease(board: StateMatrix, stage: Stage) -> None:
    claimed = claim(board, (State.QUEUED, stage))

    row = board.row((State.QUEUED, stage))
    assert claimed
    assert (row.claim, row.attempts) == (claimed.claim, 4)
    assert row.lease_until == row.wake_at == claimed.lease_until == NOW + LEASE
    assert (claimed.recovering, claimed.unsure_since) == (False, None)


@by_stage
def test_a_claim_taken_from_a_dead_worker_is_a_new_one_and_knows_that_it_must_find_out(
    board: StateMatrix, stage: Stage
) -> None:
    abandon(board)
    before = board.row((State.WORKING, stage))

    claimed = claim(board, (State.WORKING, stage))

    assert claimed
    assert claimed.claim != before.claim
    assert (claimed.recovering, claimed.unsure_since, claimed.attempts) == (True, NOW, before.attempts + 1)


def test_the_first_claim_of_a_create_notes_the_newest_order_known_and_later_ones_keep_it(
    board: StateMatrix,
) -> None:
    cell = (State.QUEUED, Stage.CREATE)
    newest = max(board.row(one).order_id or 0 for one in board.ids)

    assert claim(board, cell)
    assert board.row(cell).order_fence == newest
    board.forge((State.SENT, Stage.SETTLE), order_id=newest + 100)
    board.forge(cell, lease_until=NOW, wake_at=NOW)
    assert claim(board, cell)

    assert board.row(cell).order_fence == newest


@pytest.mark.parametrize("paused", [Installation, Campaign])
def test_a_holder_hears_of_a_pause_and_of_a_cancel_at_its_next_commit(
    board: StateMatrix, paused: type[Any]
) -> None:
    cell = (State.WORKING, Stage.ATTACH)
    claimed = board.claimed(cell)
    assert (claimed.paused, claimed.cancel_requested) == (False, False)
    set_all(board, paused, paused_at=NOW)
    transitions.cancel(board.connection, board.ids[cell], "Ada", NOW)

    after = transitions.checkpoint(board.connection, claimed, NOW, LEASE, {})

    assert after
    assert (after.paused, after.cancel_requested) == (True, True)
