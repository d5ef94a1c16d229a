"""The moves of who holds a claim: each result of a stage is exactly one of them, fenced by the claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from lettrlabs import CallRecord
from models import Stage, State, Transition
from worker.audit import journal
from worker.billing import budgets
from worker.results import (
    Advance,
    Cancelled,
    Completed,
    Continue,
    Details,
    Failed,
    Hold,
    NeedsApproval,
    NeedsReview,
    OutcomeUnknown,
    Proceed,
    Record,
    Result,
    Retry,
    Wait,
    nothing,
    write_effects,
)
from worker.transitions.claims import ClaimedMailing
from worker.transitions.guarded_update import AuditTrail, GuardedChange, guarded_update
from worker.webhooks import outbox


@dataclass(frozen=True, slots=True)
class TransitionTimes:
    """How long things last, and whether the holder means to go on with the next stage at once."""

    lease: timedelta
    redispatch_after: timedelta
    retry: timedelta
    run_ahead: bool


_RESET_COUNTERS: dict[str, Any] = {
    "recovering": False,
    "unsure_since": None,
    "attempts": 0,
    "waits": 0,
    "resends": 0,
    "missing_since": None,
    "unanswered_since": None,
    "reason": None,
    "reason_code": None,
}
_RELEASE_CLAIM: dict[str, Any] = {
    "claim": None,
    "lease_until": None,
    "missing_since": None,
    "unanswered_since": None,
}


@dataclass(frozen=True, slots=True)
class PendingTransition:
    """What a held mailing's stage came to, and the calls it took."""

    mailing: ClaimedMailing
    result: Result
    calls: Sequence[CallRecord] = ()


def apply_result(
    connection: Connection,
    claimed: ClaimedMailing,
    result: Result,
    now: datetime,
    times: TransitionTimes,
    calls: Sequence[CallRecord] = (),
) -> ClaimedMailing | None:
    """Make the one move that a stage's result stands for, with what it wants recorded and the calls it took.

    Returns the mailing after the move, or None if the claim was lost: then nothing at all was changed.
    Raises Contested or OverBudget, to undo the whole transaction, where the record says so.
    """
    return apply_results(connection, [PendingTransition(claimed, result, calls)], now, times).get(claimed.id)


def apply_results(
    connection: Connection, makings: Sequence[PendingTransition], now: datetime, times: TransitionTimes
) -> dict[int, ClaimedMailing]:
    """Make the moves of several mailings, as `make` does; returns those anew, by id, whose claim still held."""
    meant = [(one, _row_change(one.mailing, one.result, now, times)) for one in makings]
    after = guarded_update(connection, [_change(one, meaning, now) for one, meaning in meant], now)
    kept = [(one, meaning) for one, meaning in meant if one.mailing.id in after]
    records = [meaning.record for _, meaning in kept]
    if times.run_ahead:
        records += [one.result.ahead for one, _ in kept if isinstance(one.result, Advance)]
    write_effects(connection, records)
    states = {one.mailing.id: State(meaning.values.get("state", State.WORKING)) for one, meaning in kept}
    budgets.update_for_states(connection, states, now)
    outbox.enqueue_recipient_notifications(connection, {one.mailing.id: one.result for one, _ in kept}, now)
    return after


def checkpoint(
    connection: Connection,
    claimed: ClaimedMailing,
    now: datetime,
    lease: timedelta,
    values: Details,
    record: Record = nothing,
    calls: Sequence[CallRecord] = (),
) -> ClaimedMailing | None:
    """Commit a part of a stage under the same claim, and renew the lease; None if the claim was lost."""
    written = {"updated_at": now} | _written(claimed, calls, now)
    change = GuardedChange(claimed, written | _renewed(now, lease) | dict(values), AuditTrail(calls))
    after = guarded_update(connection, [change], now).get(claimed.id)
    if after is not None:
        write_effects(connection, [record])
    return after


@dataclass(frozen=True, slots=True)
class _RowChange:
    """What a result does to the row. Without a move it is a part of a stage, of which the log tells nothing."""

    move: Transition | None
    values: dict[str, Any]
    record: Record = nothing
    why: str | None = None


def _change(making: PendingTransition, meaning: _RowChange, now: datetime) -> GuardedChange:
    detail: dict[str, Any] = {"why": meaning.why} if meaning.why else {}
    if isinstance(making.result, NeedsReview):
        detail |= {"facts": dict(making.result.facts)}
    state = meaning.values.get("state", State.WORKING)
    trace = AuditTrail(making.calls, meaning.move, state, detail, outbox.notifications_for(making.result))
    written = {"updated_at": now} | _written(making.mailing, making.calls, now)
    return GuardedChange(making.mailing, written | meaning.values, trace)


def _written(claimed: ClaimedMailing, calls: Sequence[CallRecord], now: datetime) -> dict[str, Any]:
    """Return the time of a write, if one of these calls may have been one: reads may lag behind it."""
    wrote = any(journal.may_have_written(call, claimed.order_id) for call in calls)
    return {"order_written_at": now} if wrote else {}


def _row_change(claimed: ClaimedMailing, result: Result, now: datetime, times: TransitionTimes) -> _RowChange:
    match result:
        case Advance(to, values, record):
            return _advance(to, dict(values), record, now, times)
        case Proceed(_, values, record):
            return _RowChange(None, _renewed(now, times.lease) | dict(values), record)
        case Continue(why, values, record):
            sure = {
                "recovering": False,
                "unsure_since": None,
                "missing_since": None,
                "unanswered_since": None,
            }
            return _RowChange(
                Transition.RUN_AHEAD, _renewed(now, times.lease) | sure | dict(values), record, why
            )
        case Wait() | Hold():
            return _wait(claimed, result, now)
        case Retry() | OutcomeUnknown():
            return _unknown(claimed, result, now, times)
        case _:
            return _end_or_ask(result, now)


def _unknown(
    claimed: ClaimedMailing, result: Retry | OutcomeUnknown, now: datetime, times: TransitionTimes
) -> _RowChange:
    later = _requeue(now + _backoff(claimed, times), result.why)
    if isinstance(result, Retry):
        return _RowChange(Transition.RETRY, later, why=result.why)
    return _RowChange(Transition.UNSURE, later | {"recovering": True, "unsure_since": now}, why=result.why)


def _renewed(now: datetime, lease: timedelta) -> dict[str, Any]:
    return {"lease_until": now + lease, "wake_at": now + lease}


def _wait(claimed: ClaimedMailing, result: Wait | Hold, now: datetime) -> _RowChange:
    counts = {"attempts": max(claimed.attempts - 1, 0)}
    if isinstance(result, Hold):
        return _RowChange(
            Transition.WAIT, _requeue(result.until, result.why) | counts | {"waits": 0}, why=result.why
        )
    until = now + timedelta(seconds=result.seconds)
    counts["waits"] = claimed.waits + 1
    since = {"missing_since": result.missing_since, "unanswered_since": result.unanswered_since}
    return _RowChange(
        Transition.WAIT, _requeue(until, result.why) | counts | since, result.record, result.why
    )


def _advance(
    to: Stage, values: dict[str, Any], record: Record, now: datetime, times: TransitionTimes
) -> _RowChange:
    if times.run_ahead and to is not Stage.SETTLE:
        ahead = _RESET_COUNTERS | {"attempts": 1, "stage": to} | _renewed(now, times.lease)
        return _RowChange(Transition.RUN_AHEAD, ahead | values, record)
    # The chain's next link is on its way; should it be lost, the due scan pushes the row again.
    later = now if to is Stage.SETTLE else now + times.redispatch_after
    queued = {"state": State.QUEUED, "stage": to, "not_before": now, "wake_at": later}
    return _RowChange(Transition.ADVANCE, _RESET_COUNTERS | _RELEASE_CLAIM | queued | values, record)


def _end_or_ask(result: Result, now: datetime) -> _RowChange:
    asleep = _RELEASE_CLAIM | {"wake_at": None}
    match result:
        case NeedsApproval(values, record, why):
            asks = {"state": State.APPROVAL, "stage": Stage.CHECKOUT, "reason": why, **values}
            return _RowChange(Transition.ASK_APPROVAL, _RESET_COUNTERS | asleep | asks, record, why)
        case NeedsReview(code, why, _, values, record):
            asks = {"state": State.ATTENTION, "reason_code": code, "reason": why, **values}
            return _RowChange(Transition.ASK_PERSON, asleep | asks, record, why)
        case Failed(code, why):
            ends = {"state": State.FAILED, "reason_code": code, "reason": why}
            return _RowChange(Transition.FAIL, _RESET_COUNTERS | asleep | ends, why=why)
        case Completed(values, record):
            return _RowChange(
                Transition.SEND, _RESET_COUNTERS | asleep | {"state": State.SENT, **values}, record
            )
        case Cancelled(code, why, record):
            dropped = {"state": State.CANCELLED, "reason_code": code, "reason": why}
            return _RowChange(Transition.DISCARD, _RESET_COUNTERS | asleep | dropped, record, why)
        case _:
            raise AssertionError(f"no move for {type(result).__name__} at {now}")


def _requeue(when: datetime, why: str) -> dict[str, Any]:
    return _RELEASE_CLAIM | {"state": State.QUEUED, "not_before": when, "wake_at": when, "reason": why}


def _backoff(claimed: ClaimedMailing, times: TransitionTimes) -> timedelta:
    doublings: int = 2 ** min(max(claimed.attempts - 1, 0), 16)
    return min(times.retry * doublings, timedelta(hours=1))
