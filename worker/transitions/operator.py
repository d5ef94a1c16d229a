"""The moves of people: cancel, pause, and resolving what needed attention."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, select, true, update

from models import ENDED, Campaign, IfLate, Installation, Mailing, Stage, State, Transition
from worker.audit import journal
from worker.billing import budgets
from worker.scheduling.schedule import ScheduleProblem
from worker.transitions.wake import wake_recently_dispatched
from worker.webhooks import outbox

_FREE_AT_ONCE: dict[str, Any] = {"wake_at": None, "recovering": False, "unsure_since": None, "reason": None}

# The states that lead to a checkout without a person who looks for an earlier one.
SUSPECTED: Final = (State.QUEUED, State.WORKING, State.APPROVAL)


class CancelOutcome(StrEnum):
    """What asking to cancel led to."""

    CANCELLED = "cancelled"
    REQUESTED = "requested"
    TOO_LATE = "too late"
    ENDED = "ended"
    UNKNOWN = "unknown mailing"


class Resolution(StrEnum):
    """What a person may decide about a mailing that needs attention."""

    RETRY = "retry"
    PAY_AGAIN = "pay again"
    SENT = "sent"
    FAILED = "failed"


# What was seen to be paid is neither given up nor paid once more.
_UNPAID_ONLY = frozenset({Resolution.FAILED, Resolution.PAY_AGAIN})


def cancel(connection: Connection, mailing_id: int, who: str, now: datetime) -> CancelOutcome:
    """Cancel a mailing, or have its worker do so before its next write; the draft is deleted either way.

    After checkout there is nothing to cancel with: only the vendor's support can (LettrLabs reference).
    """
    while True:
        row = connection.execute(
            select(
                Mailing.stage, Mailing.state, Mailing.order_id, Mailing.recovering, Mailing.cancel_requested
            ).where(Mailing.id == mailing_id)
        ).one_or_none()
        if row is None:
            return CancelOutcome.UNKNOWN
        if row.state in ENDED:
            return CancelOutcome.TOO_LATE if row.state is State.SENT else CancelOutcome.ENDED
        if row.stage is Stage.SETTLE and row.state is not State.ATTENTION:
            return CancelOutcome.TOO_LATE
        nothing_at_vendor = row.order_id is None and not row.recovering and row.state is not State.WORKING
        kind, values = _cancelling(row.state, now, at_once=nothing_at_vendor)
        # Somebody may have moved the row since it was read: then it is read again.
        if apply_operator_transition(connection, mailing_id, kind, row.state, row.stage, who, now, values):
            return CancelOutcome.CANCELLED if nothing_at_vendor else CancelOutcome.REQUESTED


def _cancelling(state: State, now: datetime, *, at_once: bool) -> tuple[Transition, dict[str, Any]]:
    if at_once:
        return Transition.CANCEL, _FREE_AT_ONCE | {"state": State.CANCELLED, "cancel_requested": True}
    asked: dict[str, Any] = {"cancel_requested": True}
    return Transition.REQUEST_CANCEL, asked if state is State.WORKING else asked | requeue_now(now)


def resolve(
    connection: Connection, mailing_id: int, resolution: Resolution, who: str, why: str, now: datetime
) -> bool:
    """Carry out what a person decided; False if it does not apply to the mailing as it stands.

    ``retry`` goes on where it stopped, finding out first what is unsure; ``pay again`` sends the checkout of an
    order whose payment failed once more; both send what is late by now. ``sent`` and ``failed`` write down what the
    person knows.
    """
    stages = [Stage.SETTLE] if resolution in {Resolution.PAY_AGAIN, Resolution.SENT} else list(Stage)
    values = _resolving(resolution, now) | {"reason": None if resolution is not Resolution.FAILED else why}
    return any(
        apply_operator_transition(
            connection,
            mailing_id,
            Transition.RESOLVE,
            State.ATTENTION,
            stage,
            who,
            now,
            values,
            detail={"why": why},
            only=None if resolution not in _UNPAID_ONLY else Mailing.paid_at.is_(None),
        )
        for stage in stages
    )


def _resolving(resolution: Resolution, now: datetime) -> dict[str, Any]:
    afresh = requeue_now(now) | {"attempts": 0, "waits": 0, "resends": 0, "reason_code": None}
    match resolution:
        case Resolution.RETRY:
            was_late = Mailing.reason_code == ScheduleProblem.MISSED
            return afresh | {"if_late": case((was_late, IfLate.SEND), else_=Mailing.if_late)}
        case Resolution.PAY_AGAIN:
            return afresh | {"stage": Stage.CHECKOUT, "if_late": IfLate.SEND}
        case Resolution.SENT:
            paid_at = func.coalesce(Mailing.paid_at, now)
            return _FREE_AT_ONCE | {"state": State.SENT, "reason_code": None, "paid_at": paid_at}
        case Resolution.FAILED:
            return _FREE_AT_ONCE | {"state": State.FAILED, "reason_code": "person"}


def requeue_now(now: datetime) -> dict[str, Any]:
    """Return the values that queue a mailing to be worked on at once."""
    return {"state": State.QUEUED, "not_before": now, "wake_at": now}


def apply_operator_transition(
    connection: Connection,
    mailing_id: int,
    kind: Transition,
    state: State,
    stage: Stage,
    who: str,
    now: datetime,
    values: dict[str, Any],
    *,
    detail: dict[str, Any] | None = None,
    only: ColumnElement[bool] | None = None,
) -> bool:
    """Make one move of a person's, if the mailing is in this state at this stage, and ``only`` holds."""
    here = (Mailing.id == mailing_id, Mailing.state == state, Mailing.stage == stage)
    row = connection.execute(
        update(Mailing)
        .where(*here, true() if only is None else only)
        .values(updated_at=now, **values)
        .returning(Mailing.stage, Mailing.state)
    ).one_or_none()
    if row is None:
        return False
    budgets.update_for_states(connection, {mailing_id: row.state}, now)
    journal.save_state_change(
        connection, mailing_id, now, kind, row.stage, row.state, actor=who, detail=detail
    )
    outbox.enqueue_for_transition(connection, mailing_id, kind, row.state, now)
    return True


def flag_possibly_sent(
    connection: Connection, mailing_id: int, who: str, why: str, facts: dict[str, Any], now: datetime
) -> bool:
    """Hold back a mailing that may have been sent already; False if it ended, or is with a person already.

    A worker that has claimed it loses its claim. What that worker wrote is unknown, as after a stolen claim.
    """
    asks = {"state": State.ATTENTION, "wake_at": None, "reason_code": "maybe_sent", "reason": why}
    unknown = {
        "claim": None,
        "lease_until": None,
        "recovering": True,
        "unsure_since": now,
        "order_written_at": now,
        "missing_since": None,
    }
    return any(
        apply_operator_transition(
            connection,
            mailing_id,
            Transition.SUSPECT,
            state,
            stage,
            who,
            now,
            asks | (unknown if state is State.WORKING else {}),
            detail={"why": why, "facts": facts},
        )
        for state in SUSPECTED
        for stage in Stage
    )


def pause(connection: Connection, campaign_id: int | None, now: datetime) -> bool:
    """Let no further vendor write begin, for one campaign or, with None, for all; False if paused already.

    Claims and every move of a claim holder read this row, so it holds from the next write on.
    """
    target = Installation if campaign_id is None else Campaign
    statement = update(target).where(target.paused_at.is_(None)).values(paused_at=now)
    if campaign_id is not None:
        statement = statement.where(Campaign.id == campaign_id)
    return connection.execute(statement).rowcount > 0


def unpause(connection: Connection, campaign_id: int | None, now: datetime, again: timedelta) -> bool:
    """Take the pause back and wake what it held; False if there was none."""
    target = Installation if campaign_id is None else Campaign
    statement = update(target).where(target.paused_at.is_not(None)).values(paused_at=None)
    if campaign_id is None:
        changed = connection.execute(statement).rowcount > 0
        wake_recently_dispatched(connection, now, again)
    else:
        changed = connection.execute(statement.where(Campaign.id == campaign_id)).rowcount > 0
        wake_recently_dispatched(connection, now, again, Mailing.campaign_id == campaign_id)
    return changed
