"""Every operation against every state and stage: it is made where the table of moves says, and nowhere else."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import uuid4

import pytest

from models import TRANSITIONS, Stage, State, Transition
from tests.integration.worker.board import CELLS, LEASE, NOW, Cell, StateMatrix
from tests.integration.worker.operations import OPERATIONS, TIMES, Operation, make
from worker import transitions
from worker.results import Advance
from worker.transitions import ClaimedMailing

HOLDERS: Final = [one for one in OPERATIONS if isinstance(one.do, partial) and one.do.func is make]
by_name: Final = [pytest.param(one, id=one.name) for one in OPERATIONS]
holders_by_name: Final = [pytest.param(one, id=one.name) for one in HOLDERS]


def tried(operation: Operation) -> list[Cell]:
    return [cell for cell in CELLS if operation.tries(cell)]


@pytest.mark.parametrize("operation", by_name)
def test_an_operation_is_made_where_its_table_says_and_logged_and_nothing_else_changes(
    board: StateMatrix, operation: Operation
) -> None:
    operation.before(board)
    before = board.rows()

    made = {cell for cell in tried(operation) if operation.do(board, cell)}

    after, events = board.rows(), board.events()
    assert made == {cell for cell in tried(operation) if operation.result(cell)}
    for cell in CELLS:
        changed = {name for name, value in after[cell].items() if value != before[cell][name]}
        assert changed <= (operation.changes if cell in made else set()), cell
        assert after[cell]["state"] is (operation.result(cell) if cell in made else cell[0]), cell
        logged = [(event.move, event.stage, event.state, event.at) for event in events[cell]]
        move = operation.made_from(cell[0])
        # A claim is on record as its calls are: under its token, in the journal.
        is_logged = cell in made and move is not Transition.CLAIM
        assert logged == [(move, after[cell]["stage"], after[cell]["state"], NOW)] * is_logged, cell


def test_the_operations_are_the_moves_of_the_table() -> None:
    made = {(one.made_from(state), state, to) for one in OPERATIONS for state, to in one.leads.items()}

    assert made == {(move, *pair) for move, pairs in TRANSITIONS.items() for pair in pairs}


@pytest.mark.parametrize("operation", holders_by_name)
@pytest.mark.parametrize("lost", ["claim", "stage"])
def test_a_holder_whose_claim_or_stage_is_not_the_rows_moves_nothing(
    board: StateMatrix, operation: Operation, lost: str
) -> None:
    cells = [cell for cell in tried(operation) if cell[0] is State.WORKING]
    stale = {cell: board.claimed(cell) for cell in cells}
    for cell in cells:
        if lost == "claim":
            board.forge(cell, claim=uuid4())
        else:
            other = Stage.PROOF if cell[1] is Stage.ATTACH else Stage.ATTACH
            board.forge(cell, stage=other, order_id=board.row(cell).order_id or 6500)
    before = board.rows()

    board.claimed = stale.__getitem__  # type: ignore[method-assign]
    made = [cell for cell in cells if operation.do(board, cell) is not None]

    assert made == []
    assert board.rows() == before
    assert not any(board.events().values())


def with_another_claim(claimed: ClaimedMailing) -> ClaimedMailing:
    return replace(claimed, claim=uuid4())


def test_a_record_is_written_only_if_the_fence_held(board: StateMatrix) -> None:
    written: list[Cell] = []
    for cell in CELLS:
        for claimed in (board.claimed(cell), with_another_claim(board.claimed(cell))):
            result = Advance(Stage.SETTLE, {"order_id": 6000}, lambda _, at=cell: written.append(at))
            with board.connection.begin_nested() as attempt:
                transitions.apply_result(board.connection, claimed, result, NOW, TIMES)
                attempt.rollback()

    assert written == [cell for cell in CELLS if cell[0] is State.WORKING]


def test_a_checkpoint_writes_its_record_only_if_the_fence_held(board: StateMatrix) -> None:
    claimed, written = board.claimed((State.WORKING, Stage.ATTACH)), []

    for one in (with_another_claim(claimed), claimed):
        transitions.checkpoint(
            board.connection, one, NOW, LEASE, {"cursor": 1}, lambda _, at=one: written.append(at.claim)
        )

    assert written == [claimed.claim]


def test_a_checkpoint_renews_the_lease_of_its_holder_and_of_nobody_else(board: StateMatrix) -> None:
    before, later = board.rows(), NOW + timedelta(seconds=30)

    for cell in CELLS:
        stale = with_another_claim(board.claimed(cell))
        assert transitions.checkpoint(board.connection, stale, later, LEASE, {"cursor": 1}) is None
    assert board.rows() == before
    for cell in CELLS:
        kept = transitions.checkpoint(board.connection, board.claimed(cell), later, LEASE, {"cursor": 1})
        assert (kept is not None) == (cell[0] is State.WORKING), cell
        assert kept is None or (kept.lease_until, kept.cursor) == (later + LEASE, 1)

    for cell, row in board.rows().items():
        changed = {name for name, value in row.items() if value != before[cell][name]}
        renewed = {"lease_until", "wake_at", "updated_at", "cursor"} if cell[0] is State.WORKING else set()
        assert changed == renewed, cell
    assert not any(board.events().values())
