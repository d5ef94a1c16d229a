"""What a move writes into the row, beyond the state that it leads to."""

from datetime import timedelta

import pytest

from models import IfLate, Stage, State
from tests.integration.worker.board import LEASE, NOW, StateMatrix
from tests.integration.worker.operations import TIMES
from worker import transitions
from worker.results import Advance, OutcomeUnknown, Retry
from worker.scheduling.schedule import ScheduleProblem
from worker.transitions import Resolution
from worker.transitions.vendor_changes import note_order
from worker.transitions.wake import wake_recently_dispatched

WORKING = (State.WORKING, Stage.ATTACH)
ASKING = (State.ATTENTION, Stage.ATTACH)
SETTLING = (State.ATTENTION, Stage.SETTLE)
DAY = timedelta(days=1)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 15), (2, 30), (3, 60), (4, 120), (30, 3600)])
def test_the_pause_between_retries_doubles_up_to_an_hour(
    board: StateMatrix, attempts: int, seconds: int
) -> None:
    board.forge(WORKING, attempts=attempts)

    transitions.apply_result(board.connection, board.claimed(WORKING), Retry("failed"), NOW, TIMES)

    assert board.row(WORKING).not_before == NOW + timedelta(seconds=seconds)


def test_a_write_of_unknown_outcome_is_kept_until_the_stage_has_ended(board: StateMatrix) -> None:
    transitions.apply_result(board.connection, board.claimed(WORKING), OutcomeUnknown("lost"), NOW, TIMES)
    row = board.row(WORKING)
    assert (row.state, row.recovering, row.unsure_since) == (State.QUEUED, True, NOW)

    claimed = transitions.claim(board.connection, row.id, Stage.ATTACH, NOW + DAY, LEASE)
    assert claimed
    assert claimed.recovering

    transitions.apply_result(board.connection, claimed, Advance(Stage.PROOF, {}), NOW + DAY, TIMES)
    row = board.row(WORKING)
    assert (row.recovering, row.unsure_since, row.attempts, row.resends) == (False, None, 0, 0)


@pytest.mark.parametrize("ago", [timedelta(), timedelta(hours=1)])
def test_the_last_write_of_a_dead_worker_was_at_most_at_the_end_of_its_lease(
    board: StateMatrix, ago: timedelta
) -> None:
    board.forge(WORKING, lease_until=NOW - ago, wake_at=NOW)

    claimed = transitions.claim(board.connection, board.ids[WORKING], Stage.ATTACH, NOW, LEASE)

    assert claimed
    assert claimed.order_written_at == NOW - ago


def test_a_retry_by_a_person_counts_from_nothing(board: StateMatrix) -> None:
    board.forge(ASKING, attempts=3, waits=2, resends=1)

    assert transitions.resolve(board.connection, board.ids[ASKING], Resolution.RETRY, "Ada", "why", NOW)

    row = board.row(ASKING)
    assert (row.attempts, row.waits, row.resends, row.reason_code) == (0, 0, 0, None)


@pytest.mark.parametrize(
    ("code", "if_late"), [(ScheduleProblem.MISSED, IfLate.SEND), ("refused", IfLate.ASK)]
)
def test_a_retry_sends_late_only_what_needed_a_person_for_being_late(
    board: StateMatrix, code: str, if_late: IfLate
) -> None:
    board.forge(ASKING, reason_code=code, if_late=IfLate.ASK)

    assert transitions.resolve(board.connection, board.ids[ASKING], Resolution.RETRY, "Ada", "why", NOW)

    assert board.row(ASKING).if_late == if_late


@pytest.mark.parametrize("resolution", [Resolution.FAILED, Resolution.PAY_AGAIN])
def test_a_paid_mailing_is_neither_given_up_nor_paid_again(
    board: StateMatrix, resolution: Resolution
) -> None:
    board.forge(SETTLING, paid_at=NOW)
    before = board.rows()

    assert not transitions.resolve(board.connection, board.ids[SETTLING], resolution, "Ada", "why", NOW)

    assert board.rows() == before


def test_a_mailing_that_waits_for_approval_alone_does_not_try_its_budget_again(board: StateMatrix) -> None:
    waiting = (State.APPROVAL, Stage.CHECKOUT)
    board.forge(waiting, reason_code=None)

    assert not transitions.retry_budget(board.connection, board.ids[waiting], "Ada", NOW)

    assert board.row(waiting).state is State.APPROVAL


def test_an_end_of_a_pause_wakes_what_is_due_and_nothing_else(board: StateMatrix) -> None:
    due, early = (State.QUEUED, Stage.ATTACH), (State.QUEUED, Stage.PROOF)
    board.forge(due, wake_at=NOW + LEASE)
    board.forge(early, not_before=NOW + LEASE, wake_at=NOW + LEASE)

    wake_recently_dispatched(board.connection, NOW, LEASE)

    assert (board.row(due).wake_at, board.row(early).wake_at) == (NOW, NOW + LEASE)


def test_only_a_sent_mailing_notes_what_becomes_of_its_order(board: StateMatrix) -> None:
    for cell in (State.SENT, Stage.SETTLE), SETTLING:
        board.forge(cell, order_id=9_000 + board.ids[cell], order_status="Paid")

    noted = [
        note_order(board.connection, board.ids[cell], board.row(cell).order_id, {"order_status": "Cancelled"})
        for cell in ((State.SENT, Stage.SETTLE), SETTLING)
    ]

    assert noted == [True, False]
    assert board.row(SETTLING).order_status == "Paid"
