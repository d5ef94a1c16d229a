"""Everything that can be done to a mailing, as a table: what each move leads to from where, and what it changes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import update

from models import HoldMode, Mailing, Move, Stage, State
from tests.worker.board import CELLS, LEASE, NOW, Board, Cell
from worker import transitions
from worker.billing.budgets import OVER_BUDGET
from worker.results import (
    Advance,
    Again,
    AskApproval,
    AskPerson,
    Discarded,
    Fail,
    Hold,
    Result,
    Retry,
    Sent,
    Unsure,
    Wait,
)
from worker.scheduling.schedule import Schedule, TimeTrouble
from worker.transitions import CancelOutcome, Held, RescheduleOutcome, Resolution, Times
from worker.transitions.vendor_changes import reopen

AGAIN: Final = timedelta(seconds=60)
TIMES: Final = Times(lease=LEASE, push_again=AGAIN, retry=timedelta(seconds=15), run_ahead=False)
AHEAD: Final = Times(lease=LEASE, push_again=AGAIN, retry=timedelta(seconds=15), run_ahead=True)

BUT_SETTLE: Final = frozenset(Stage) - {Stage.SETTLE}

PAYING: Final = {
    (State.WORKING, Stage.SUMMARIZE),
    (State.WORKING, Stage.CHECKOUT),
    *((state, Stage.SETTLE) for state in State),
}

_HOLDERS: Final = {"claim", "lease_until", "wake_at", "updated_at"}
_FRESH: Final = {
    "attempts",
    "waits",
    "resends",
    "recovering",
    "unsure_since",
    "reason",
    "reason_code",
}
_LATER: Final = _HOLDERS | {"state", "not_before", "reason"}
_SCHEDULED: Final = {*Schedule().columns(), "price_until", "price_after", "approved_at", "approved_by"}
_PERSONS: Final = {"state", "not_before", "wake_at", "updated_at", "reason"}


@dataclass(frozen=True)
class Operation:
    """Something done to a row, the state it leads to from each state it is legal in, and what it may change."""

    name: str
    do: Callable[[Board, Cell], object]
    move: Move
    leads: dict[State, State]
    changes: set[str]
    at: frozenset[Stage] = frozenset(Stage)
    before: Callable[[Board], None] = lambda _: None
    tries: Callable[[Cell], bool] = lambda _: True

    def made_from(self, state: State) -> Move:
        return Move.CLAIM if self.move is Move.STEAL and state is State.QUEUED else self.move

    def result(self, cell: Cell) -> State | None:
        state, stage = cell
        return self.leads.get(state) if stage in self.at else None


def make(result: Result | Callable[[Board, Cell], Result], times: Times, board: Board, cell: Cell) -> object:
    meant = result(board, cell) if callable(result) else result
    return transitions.make(board.connection, board.held(cell), meant, NOW, times)


def with_an_order(kind: Callable[[dict[str, Any]], Result], board: Board, cell: Cell) -> Result:
    return kind({"order_id": board.row(cell).order_id or 6000})


def holders(
    name: str, result: Any, move: Move, to: State, changes: set[str], times: Times = TIMES, **more: Any
) -> Operation:
    return Operation(name, partial(make, result, times), move, {State.WORKING: to}, changes, **more)


def let_every_lease_end(board: Board) -> None:
    board.connection.execute(
        update(Mailing).where(Mailing.state == State.WORKING).values(lease_until=NOW, wake_at=NOW)
    )


def claim(board: Board, cell: Cell) -> Held | None:
    return transitions.claim(board.connection, board.ids[cell], cell[1], NOW, LEASE)


def cancel(board: Board, cell: Cell) -> bool:
    outcome = transitions.cancel(board.connection, board.ids[cell], "Ada", NOW)
    return outcome in {CancelOutcome.CANCELLED, CancelOutcome.REQUESTED}


def resolve(resolution: Resolution, board: Board, cell: Cell) -> bool:
    return transitions.resolve(board.connection, board.ids[cell], resolution, "Ada", "because", NOW)


def reschedule(new: Schedule, board: Board, cell: Cell) -> bool:
    outcome = transitions.reschedule(board.connection, board.ids[cell], new, "Ada", NOW)
    return outcome is RescheduleOutcome.RESCHEDULED


def let_time_be_the_trouble(board: Board) -> None:
    for cell in CELLS:
        if cell[0] is State.ATTENTION:
            board.forge(cell, reason_code=TimeTrouble.MISSED)


def people(
    name: str, do: Any, move: Move, leads: dict[State, State], changes: set[str], **more: Any
) -> Operation:
    return Operation(name, do, move, leads, changes, **more)


_AFRESH = _PERSONS | {"attempts", "waits", "resends", "reason_code"}
_ENDING = {"state", "wake_at", "recovering", "unsure_since", "reason", "reason_code", "updated_at"}
_ASLEEP = _HOLDERS | _FRESH | {"state"}
_Q, _W, _AP, _AT = State.QUEUED, State.WORKING, State.APPROVAL, State.ATTENTION
_S, _F, _C = State.SENT, State.FAILED, State.CANCELLED

OPERATIONS: Final = [
    Operation("claim", claim, Move.CLAIM, {_Q: _W}, _HOLDERS | {"state", "attempts", "order_fence"}),
    Operation(
        "claim once every lease has ended",
        claim,
        Move.STEAL,
        {_Q: _W, _W: _W},
        _HOLDERS | {"state", "attempts", "order_fence", "recovering", "unsure_since", "order_written_at"},
        before=let_every_lease_end,
    ),
    holders(
        "advance",
        partial(with_an_order, lambda values: Advance(Stage.ATTACH, values)),
        Move.ADVANCE,
        _Q,
        _HOLDERS | _FRESH | {"state", "stage", "order_id", "not_before"},
    ),
    holders(
        "advance in one breath",
        partial(with_an_order, lambda values: Advance(Stage.ATTACH, values)),
        Move.RUN_AHEAD,
        _W,
        _HOLDERS - {"claim"} | _FRESH | {"stage", "order_id"},
        AHEAD,
    ),
    holders(
        "advance to settle in one breath",
        partial(with_an_order, lambda values: Advance(Stage.SETTLE, values)),
        Move.ADVANCE,
        _Q,
        _HOLDERS | _FRESH | {"state", "stage", "order_id", "not_before"},
        AHEAD,
    ),
    holders("again", Again("undone", {"cursor": 0}), Move.RUN_AHEAD, _W, {"cursor", "updated_at"}),
    holders("wait", Wait(30, "busy"), Move.WAIT, _Q, _LATER | {"attempts", "waits"}),
    holders("hold", Hold(NOW + AGAIN, "not yet"), Move.WAIT, _Q, _LATER | {"attempts", "waits"}),
    holders("retry", Retry("failed"), Move.RETRY, _Q, _LATER),
    holders("unsure", Unsure("lost"), Move.UNSURE, _Q, _LATER | {"recovering", "unsure_since"}),
    holders(
        "ask approval",
        partial(with_an_order, lambda values: AskApproval({**values, "quoted": 13})),
        Move.ASK_APPROVAL,
        _AP,
        _ASLEEP | {"stage", "order_id", "quoted"},
    ),
    holders(
        "ask a person",
        AskPerson("odd", "it does not add up", {"seen": 1}),
        Move.ASK_PERSON,
        _AT,
        _HOLDERS | {"state", "reason", "reason_code"},
    ),
    holders(
        "send",
        Sent({"charged": 12}),
        Move.SEND,
        _S,
        _ASLEEP | {"charged", "paid_at"},
        at=frozenset({Stage.SETTLE}),
        # Nothing but a settled order is ever sent, and the table's own CHECK says so.
        tries=lambda cell: cell[0] is not State.WORKING or cell[1] is Stage.SETTLE,
    ),
    holders("fail", Fail("nobody", "nobody was accepted"), Move.FAIL, _F, _ASLEEP),
    holders("discard", Discarded(), Move.DISCARD, _C, _ASLEEP),
    people(
        "approve",
        lambda board, cell: transitions.approve(board.connection, board.ids[cell], "Ada", NOW),
        Move.APPROVE,
        {_AP: _Q},
        _PERSONS | {"approved_at", "approved_by", "reason_code"},
    ),
    people(
        "reject",
        lambda board, cell: transitions.reject(board.connection, board.ids[cell], "Ada", "no", NOW),
        Move.REJECT,
        {_AP: _Q},
        _PERSONS | {"cancel_requested", "reason_code"},
    ),
    people(
        "fit",
        lambda board, cell: transitions.fit(board.connection, board.ids[cell], "Ada", NOW),
        Move.FIT,
        {_AP: _Q},
        _PERSONS | {"reason_code"},
        before=lambda board: board.forge((_AP, Stage.CHECKOUT), reason_code=OVER_BUDGET),
    ),
    people(
        "suspect",
        lambda board, cell: transitions.suspect(
            board.connection, board.ids[cell], "Ada", "sent already?", {}, NOW
        ),
        Move.SUSPECT,
        {_Q: _AT},
        _PERSONS | {"reason_code"},
    ),
    people(
        "cancel with an order",
        cancel,
        Move.REQUEST_CANCEL,
        {_Q: _Q, _W: _W, _AP: _Q, _AT: _Q},
        _PERSONS | {"cancel_requested"},
        tries=lambda cell: cell[1] in BUT_SETTLE - {Stage.CREATE},
    ),
    people(
        "cancel without an order",
        cancel,
        Move.CANCEL,
        {_Q: _C, _AT: _C},
        _ENDING | {"cancel_requested"},
        tries=lambda cell: cell[1] is Stage.CREATE and cell[0] is not State.WORKING,
    ),
    people(
        "cancel while the order is created",
        cancel,
        Move.REQUEST_CANCEL,
        {_W: _W},
        {"cancel_requested", "updated_at"},
        tries=lambda cell: cell == (State.WORKING, Stage.CREATE),
    ),
    people(
        "cancel after checkout",
        cancel,
        Move.REQUEST_CANCEL,
        {_AT: _Q},
        _PERSONS | {"cancel_requested"},
        tries=lambda cell: cell[1] is Stage.SETTLE,
    ),
    people(
        "reschedule",
        partial(reschedule, Schedule()),
        Move.RESCHEDULE,
        {_Q: _Q, _W: _W, _AP: _AP, _AT: _Q},
        _PERSONS | _SCHEDULED | {"reason_code", "attempts"},
        before=let_time_be_the_trouble,
        tries=lambda cell: cell not in PAYING,
    ),
    people(
        "reschedule to a day that the vendor holds it until",
        partial(reschedule, Schedule(hold_until=date(2026, 5, 1), hold_mode=HoldMode.VENDOR)),
        Move.RESCHEDULE,
        {_AP: _Q},
        _PERSONS | _SCHEDULED | {"reason_code", "attempts", "stage"},
        tries=lambda cell: cell[0] is State.APPROVAL,
    ),
    people(
        "reschedule what is being paid or was",
        partial(reschedule, Schedule()),
        Move.RESCHEDULE,
        {},
        set(),
        before=let_time_be_the_trouble,
        tries=lambda cell: cell in PAYING,
    ),
    people("retry", partial(resolve, Resolution.RETRY), Move.RESOLVE, {_AT: _Q}, _AFRESH),
    people(
        "pay again",
        partial(resolve, Resolution.PAY_AGAIN),
        Move.RESOLVE,
        {_AT: _Q},
        _AFRESH | {"stage", "if_late"},
        at=frozenset({Stage.SETTLE}),
    ),
    people(
        "resolve as sent",
        partial(resolve, Resolution.SENT),
        Move.RESOLVE,
        {_AT: _S},
        _ENDING | {"paid_at"},
        at=frozenset({Stage.SETTLE}),
    ),
    people("resolve as failed", partial(resolve, Resolution.FAILED), Move.RESOLVE, {_AT: _F}, _ENDING),
    people(
        "reopen",
        lambda board, cell: reopen(board.connection, board.ids[cell], "odd", "it changed", {}, {}, NOW),
        Move.REOPEN,
        {_S: _AT},
        {"state", "reason", "reason_code", "updated_at"},
    ),
]
