"""Everything that can be done to a mailing, as a table: what each move leads to from where, and what it changes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import update

from models import HoldMode, Mailing, Stage, State, Transition
from tests.integration.worker.board import CELLS, LEASE, NOW, Cell, StateMatrix
from worker import transitions
from worker.billing.budgets import OVER_BUDGET
from worker.results import (
    Advance,
    Cancelled,
    Completed,
    Continue,
    Failed,
    Hold,
    NeedsApproval,
    NeedsReview,
    OutcomeUnknown,
    Result,
    Retry,
    Wait,
)
from worker.scheduling.schedule import Schedule, ScheduleProblem
from worker.transitions import CancelOutcome, ClaimedMailing, RescheduleOutcome, Resolution, TransitionTimes
from worker.transitions.vendor_changes import reopen

AGAIN: Final = timedelta(seconds=60)
TIMES: Final = TransitionTimes(
    lease=LEASE, redispatch_after=AGAIN, retry=timedelta(seconds=15), run_ahead=False
)
AHEAD: Final = TransitionTimes(
    lease=LEASE, redispatch_after=AGAIN, retry=timedelta(seconds=15), run_ahead=True
)

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
    do: Callable[[StateMatrix, Cell], object]
    move: Transition
    leads: dict[State, State]
    changes: set[str]
    at: frozenset[Stage] = frozenset(Stage)
    before: Callable[[StateMatrix], None] = lambda _: None
    tries: Callable[[Cell], bool] = lambda _: True

    def made_from(self, state: State) -> Transition:
        return Transition.CLAIM if self.move is Transition.STEAL and state is State.QUEUED else self.move

    def result(self, cell: Cell) -> State | None:
        state, stage = cell
        return self.leads.get(state) if stage in self.at else None


def make(
    result: Result | Callable[[StateMatrix, Cell], Result],
    times: TransitionTimes,
    board: StateMatrix,
    cell: Cell,
) -> object:
    meant = result(board, cell) if callable(result) else result
    return transitions.apply_result(board.connection, board.claimed(cell), meant, NOW, times)


def with_an_order(kind: Callable[[dict[str, Any]], Result], board: StateMatrix, cell: Cell) -> Result:
    return kind({"order_id": board.row(cell).order_id or 6000})


def holders(
    name: str,
    result: Any,
    move: Transition,
    to: State,
    changes: set[str],
    times: TransitionTimes = TIMES,
    **more: Any,
) -> Operation:
    return Operation(name, partial(make, result, times), move, {State.WORKING: to}, changes, **more)


def let_every_lease_end(board: StateMatrix) -> None:
    board.connection.execute(
        update(Mailing).where(Mailing.state == State.WORKING).values(lease_until=NOW, wake_at=NOW)
    )


def claim(board: StateMatrix, cell: Cell) -> ClaimedMailing | None:
    return transitions.claim(board.connection, board.ids[cell], cell[1], NOW, LEASE)


def suspect(board: StateMatrix, cell: Cell) -> object:
    return transitions.flag_possibly_sent(board.connection, board.ids[cell], "Ada", "sent already?", {}, NOW)


def cancel(board: StateMatrix, cell: Cell) -> bool:
    outcome = transitions.cancel(board.connection, board.ids[cell], "Ada", NOW)
    return outcome in {CancelOutcome.CANCELLED, CancelOutcome.REQUESTED}


def resolve(resolution: Resolution, board: StateMatrix, cell: Cell) -> bool:
    return transitions.resolve(board.connection, board.ids[cell], resolution, "Ada", "because", NOW)


def reschedule(new: Schedule, board: StateMatrix, cell: Cell) -> bool:
    outcome = transitions.reschedule(board.connection, board.ids[cell], new, "Ada", NOW)
    return outcome is RescheduleOutcome.RESCHEDULED


def let_time_be_the_trouble(board: StateMatrix) -> None:
    for cell in CELLS:
        if cell[0] is State.ATTENTION:
            board.forge(cell, reason_code=ScheduleProblem.MISSED)


def people(
    name: str, do: Any, move: Transition, leads: dict[State, State], changes: set[str], **more: Any
) -> Operation:
    return Operation(name, do, move, leads, changes, **more)


_AFRESH = _PERSONS | {"attempts", "waits", "resends", "reason_code"}
_ENDING = {"state", "wake_at", "recovering", "unsure_since", "reason", "reason_code", "updated_at"}
_ASLEEP = _HOLDERS | _FRESH | {"state"}
_Q, _W, _AP, _AT = State.QUEUED, State.WORKING, State.APPROVAL, State.ATTENTION
_S, _F, _C = State.SENT, State.FAILED, State.CANCELLED

OPERATIONS: Final = [
    Operation("claim", claim, Transition.CLAIM, {_Q: _W}, _HOLDERS | {"state", "attempts", "order_fence"}),
    Operation(
        "claim once every lease has ended",
        claim,
        Transition.STEAL,
        {_Q: _W, _W: _W},
        _HOLDERS | {"state", "attempts", "order_fence", "recovering", "unsure_since", "order_written_at"},
        before=let_every_lease_end,
    ),
    holders(
        "advance",
        partial(with_an_order, lambda values: Advance(Stage.ATTACH, values)),
        Transition.ADVANCE,
        _Q,
        _HOLDERS | _FRESH | {"state", "stage", "order_id", "not_before"},
    ),
    holders(
        "advance in one breath",
        partial(with_an_order, lambda values: Advance(Stage.ATTACH, values)),
        Transition.RUN_AHEAD,
        _W,
        _HOLDERS - {"claim"} | _FRESH | {"stage", "order_id"},
        AHEAD,
    ),
    holders(
        "advance to settle in one breath",
        partial(with_an_order, lambda values: Advance(Stage.SETTLE, values)),
        Transition.ADVANCE,
        _Q,
        _HOLDERS | _FRESH | {"state", "stage", "order_id", "not_before"},
        AHEAD,
    ),
    holders("again", Continue("undone", {"cursor": 0}), Transition.RUN_AHEAD, _W, {"cursor", "updated_at"}),
    holders("wait", Wait(30, "busy"), Transition.WAIT, _Q, _LATER | {"attempts", "waits"}),
    holders("hold", Hold(NOW + AGAIN, "not yet"), Transition.WAIT, _Q, _LATER | {"attempts", "waits"}),
    holders("retry", Retry("failed"), Transition.RETRY, _Q, _LATER),
    holders("unsure", OutcomeUnknown("lost"), Transition.UNSURE, _Q, _LATER | {"recovering", "unsure_since"}),
    holders(
        "ask approval",
        partial(with_an_order, lambda values: NeedsApproval({**values, "quoted": 13})),
        Transition.ASK_APPROVAL,
        _AP,
        _ASLEEP | {"stage", "order_id", "quoted"},
    ),
    holders(
        "ask a person",
        NeedsReview("odd", "it does not add up", {"seen": 1}),
        Transition.ASK_PERSON,
        _AT,
        _HOLDERS | {"state", "reason", "reason_code"},
    ),
    holders(
        "send",
        Completed({"charged": 12}),
        Transition.SEND,
        _S,
        _ASLEEP | {"charged", "paid_at"},
        at=frozenset({Stage.SETTLE}),
        # Nothing but a settled order is ever sent, and the table's own CHECK says so.
        tries=lambda cell: cell[0] is not State.WORKING or cell[1] is Stage.SETTLE,
    ),
    holders("fail", Failed("nobody", "nobody was accepted"), Transition.FAIL, _F, _ASLEEP),
    holders("discard", Cancelled(), Transition.DISCARD, _C, _ASLEEP),
    people(
        "approve",
        lambda board, cell: transitions.approve(board.connection, board.ids[cell], "Ada", NOW),
        Transition.APPROVE,
        {_AP: _Q},
        _PERSONS | {"approved_at", "approved_by", "reason_code"},
    ),
    people(
        "reject",
        lambda board, cell: transitions.reject(board.connection, board.ids[cell], "Ada", "no", NOW),
        Transition.REJECT,
        {_AP: _Q},
        _PERSONS | {"cancel_requested", "reason_code"},
    ),
    people(
        "fit",
        lambda board, cell: transitions.retry_budget(board.connection, board.ids[cell], "Ada", NOW),
        Transition.FIT,
        {_AP: _Q},
        _PERSONS | {"reason_code"},
        before=lambda board: board.forge((_AP, Stage.CHECKOUT), reason_code=OVER_BUDGET),
    ),
    people(
        "suspect",
        suspect,
        Transition.SUSPECT,
        {_Q: _AT, _AP: _AT},
        _PERSONS | {"reason_code"},
        tries=lambda cell: cell[0] is not State.WORKING,
    ),
    people(
        "suspect while a worker has it",
        suspect,
        Transition.SUSPECT,
        {_W: _AT},
        _PERSONS
        | _HOLDERS
        | {"reason_code", "recovering", "unsure_since", "order_written_at", "missing_since"},
        tries=lambda cell: cell[0] is State.WORKING,
    ),
    people(
        "cancel with an order",
        cancel,
        Transition.REQUEST_CANCEL,
        {_Q: _Q, _W: _W, _AP: _Q, _AT: _Q},
        _PERSONS | {"cancel_requested"},
        tries=lambda cell: cell[1] in BUT_SETTLE - {Stage.CREATE},
    ),
    people(
        "cancel without an order",
        cancel,
        Transition.CANCEL,
        {_Q: _C, _AT: _C},
        _ENDING | {"cancel_requested"},
        tries=lambda cell: cell[1] is Stage.CREATE and cell[0] is not State.WORKING,
    ),
    people(
        "cancel while the order is created",
        cancel,
        Transition.REQUEST_CANCEL,
        {_W: _W},
        {"cancel_requested", "updated_at"},
        tries=lambda cell: cell == (State.WORKING, Stage.CREATE),
    ),
    people(
        "cancel after checkout",
        cancel,
        Transition.REQUEST_CANCEL,
        {_AT: _Q},
        _PERSONS | {"cancel_requested"},
        tries=lambda cell: cell[1] is Stage.SETTLE,
    ),
    people(
        "reschedule",
        partial(reschedule, Schedule()),
        Transition.RESCHEDULE,
        {_Q: _Q, _W: _W, _AP: _AP, _AT: _Q},
        _PERSONS | _SCHEDULED | {"reason_code", "attempts"},
        before=let_time_be_the_trouble,
        tries=lambda cell: cell not in PAYING,
    ),
    people(
        "reschedule to a day that the vendor holds it until",
        partial(reschedule, Schedule(hold_until=date(2026, 5, 1), hold_mode=HoldMode.VENDOR)),
        Transition.RESCHEDULE,
        {_AP: _Q},
        _PERSONS | _SCHEDULED | {"reason_code", "attempts", "stage"},
        tries=lambda cell: cell[0] is State.APPROVAL,
    ),
    people(
        "reschedule what is being paid or was",
        partial(reschedule, Schedule()),
        Transition.RESCHEDULE,
        {},
        set(),
        before=let_time_be_the_trouble,
        tries=lambda cell: cell in PAYING,
    ),
    people("retry", partial(resolve, Resolution.RETRY), Transition.RESOLVE, {_AT: _Q}, _AFRESH),
    people(
        "pay again",
        partial(resolve, Resolution.PAY_AGAIN),
        Transition.RESOLVE,
        {_AT: _Q},
        _AFRESH | {"stage", "if_late"},
        at=frozenset({Stage.SETTLE}),
    ),
    people(
        "resolve as sent",
        partial(resolve, Resolution.SENT),
        Transition.RESOLVE,
        {_AT: _S},
        _ENDING | {"paid_at"},
        at=frozenset({Stage.SETTLE}),
    ),
    people("resolve as failed", partial(resolve, Resolution.FAILED), Transition.RESOLVE, {_AT: _F}, _ENDING),
    people(
        "reopen",
        lambda board, cell: reopen(board.connection, board.ids[cell], "odd", "it changed", {}, {}, NOW),
        Transition.REOPEN,
        {_S: _AT},
        {"state", "reason", "reason_code", "updated_at"},
    ),
]
