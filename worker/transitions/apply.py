"""The moves of who holds a claim: each result of a stage is exactly one of them, fenced by the claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from lettrlabs import Call
from models import Move, Stage, State
from worker.audit import journal
from worker.billing import budgets
from worker.results import (
    Advance,
    Again,
    AskApproval,
    AskPerson,
    Discarded,
    Facts,
    Fail,
    Hold,
    Proceed,
    Record,
    Result,
    Retry,
    Sent,
    Unsure,
    Wait,
    nothing,
    write_records,
)
from worker.transitions.claims import Held
from worker.transitions.guarded_update import Change, Trace, fenced
from worker.webhooks import outbox


@dataclass(frozen=True, slots=True)
class Times:
    """How long things last, and whether the holder means to go on with the next stage at once."""

    lease: timedelta
    push_again: timedelta
    retry: timedelta
    run_ahead: bool


_FRESH: dict[str, Any] = {
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
_FREE: dict[str, Any] = {
    "claim": None,
    "lease_until": None,
    "missing_since": None,
    "unanswered_since": None,
}


@dataclass(frozen=True, slots=True)
class Making:
    """What a held mailing's stage came to, and the calls it took."""

    held: Held
    result: Result
    calls: Sequence[Call] = ()


def make(
    connection: Connection,
    held: Held,
    result: Result,
    now: datetime,
    times: Times,
    calls: Sequence[Call] = (),
) -> Held | None:
    """Make the one move that a stage's result stands for, with what it wants recorded and the calls it took.

    Returns the mailing after the move, or None if the claim was lost: then nothing at all was changed.
    Raises Contested or OverBudget, to undo the whole transaction, where the record says so.
    """
    return make_together(connection, [Making(held, result, calls)], now, times).get(held.id)


def make_together(
    connection: Connection, makings: Sequence[Making], now: datetime, times: Times
) -> dict[int, Held]:
    """Make the moves of several mailings, as `make` does; returns those anew, by id, whose claim still held."""
    meant = [(one, _meaning(one.held, one.result, now, times)) for one in makings]
    after = fenced(connection, [_change(one, meaning, now) for one, meaning in meant], now)
    kept = [(one, meaning) for one, meaning in meant if one.held.id in after]
    records = [meaning.record for _, meaning in kept]
    if times.run_ahead:
        records += [one.result.ahead for one, _ in kept if isinstance(one.result, Advance)]
    write_records(connection, records)
    states = {one.held.id: State(meaning.values.get("state", State.WORKING)) for one, meaning in kept}
    budgets.follow(connection, states, now)
    outbox.follow(connection, {one.held.id: one.result for one, _ in kept}, now)
    return after


def checkpoint(
    connection: Connection,
    held: Held,
    now: datetime,
    lease: timedelta,
    values: Facts,
    record: Record = nothing,
    calls: Sequence[Call] = (),
) -> Held | None:
    """Commit a part of a stage under the same claim, and renew the lease; None if the claim was lost."""
    written = {"updated_at": now} | _written(held, calls, now)
    change = Change(held, written | _renewed(now, lease) | dict(values), Trace(calls))
    after = fenced(connection, [change], now).get(held.id)
    if after is not None:
        write_records(connection, [record])
    return after


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a result does to the row. Without a move it is a part of a stage, of which the log tells nothing."""

    move: Move | None
    values: dict[str, Any]
    record: Record = nothing
    why: str | None = None


def _change(making: Making, meaning: _Meaning, now: datetime) -> Change:
    detail: dict[str, Any] = {"why": meaning.why} if meaning.why else {}
    if isinstance(making.result, AskPerson):
        detail |= {"facts": dict(making.result.facts)}
    state = meaning.values.get("state", State.WORKING)
    trace = Trace(making.calls, meaning.move, state, detail, outbox.of_result(making.result))
    written = {"updated_at": now} | _written(making.held, making.calls, now)
    return Change(making.held, written | meaning.values, trace)


def _written(held: Held, calls: Sequence[Call], now: datetime) -> dict[str, Any]:
    """Return the time of a write, if one of these calls may have been one: reads may lag behind it."""
    wrote = any(journal.may_have_written(call, held.order_id) for call in calls)
    return {"order_written_at": now} if wrote else {}


def _meaning(held: Held, result: Result, now: datetime, times: Times) -> _Meaning:
    match result:
        case Advance(to, values, record):
            return _advance(to, dict(values), record, now, times)
        case Proceed(_, values, record):
            return _Meaning(None, _renewed(now, times.lease) | dict(values), record)
        case Again(why, values, record):
            sure = {
                "recovering": False,
                "unsure_since": None,
                "missing_since": None,
                "unanswered_since": None,
            }
            return _Meaning(Move.RUN_AHEAD, _renewed(now, times.lease) | sure | dict(values), record, why)
        case Wait() | Hold():
            return _wait(held, result, now)
        case Retry() | Unsure():
            return _tried(held, result, now, times)
        case _:
            return _handed_over(result, now)


def _tried(held: Held, result: Retry | Unsure, now: datetime, times: Times) -> _Meaning:
    later = _later(now + _backoff(held, times), result.why)
    if isinstance(result, Retry):
        return _Meaning(Move.RETRY, later, why=result.why)
    return _Meaning(Move.UNSURE, later | {"recovering": True, "unsure_since": now}, why=result.why)


def _renewed(now: datetime, lease: timedelta) -> dict[str, Any]:
    return {"lease_until": now + lease, "wake_at": now + lease}


def _wait(held: Held, result: Wait | Hold, now: datetime) -> _Meaning:
    counts = {"attempts": max(held.attempts - 1, 0)}
    if isinstance(result, Hold):
        return _Meaning(Move.WAIT, _later(result.until, result.why) | counts | {"waits": 0}, why=result.why)
    until = now + timedelta(seconds=result.seconds)
    counts["waits"] = held.waits + 1
    since = {"missing_since": result.missing_since, "unanswered_since": result.unanswered_since}
    return _Meaning(Move.WAIT, _later(until, result.why) | counts | since, result.record, result.why)


def _advance(to: Stage, values: dict[str, Any], record: Record, now: datetime, times: Times) -> _Meaning:
    if times.run_ahead and to is not Stage.SETTLE:
        ahead = _FRESH | {"attempts": 1, "stage": to} | _renewed(now, times.lease)
        return _Meaning(Move.RUN_AHEAD, ahead | values, record)
    # The chain's next link is on its way; should it be lost, the due scan pushes the row again.
    later = now if to is Stage.SETTLE else now + times.push_again
    queued = {"state": State.QUEUED, "stage": to, "not_before": now, "wake_at": later}
    return _Meaning(Move.ADVANCE, _FRESH | _FREE | queued | values, record)


def _handed_over(result: Result, now: datetime) -> _Meaning:
    asleep = _FREE | {"wake_at": None}
    match result:
        case AskApproval(values, record, why):
            asks = {"state": State.APPROVAL, "stage": Stage.CHECKOUT, "reason": why, **values}
            return _Meaning(Move.ASK_APPROVAL, _FRESH | asleep | asks, record, why)
        case AskPerson(code, why, _, values, record):
            asks = {"state": State.ATTENTION, "reason_code": code, "reason": why, **values}
            return _Meaning(Move.ASK_PERSON, asleep | asks, record, why)
        case Fail(code, why):
            ends = {"state": State.FAILED, "reason_code": code, "reason": why}
            return _Meaning(Move.FAIL, _FRESH | asleep | ends, why=why)
        case Sent(values, record):
            return _Meaning(Move.SEND, _FRESH | asleep | {"state": State.SENT, **values}, record)
        case Discarded(code, why, record):
            dropped = {"state": State.CANCELLED, "reason_code": code, "reason": why}
            return _Meaning(Move.DISCARD, _FRESH | asleep | dropped, record, why)
        case _:
            raise AssertionError(f"no move for {type(result).__name__} at {now}")


def _later(when: datetime, why: str) -> dict[str, Any]:
    return _FREE | {"state": State.QUEUED, "not_before": when, "wake_at": when, "reason": why}


def _backoff(held: Held, times: Times) -> timedelta:
    doublings: int = 2 ** min(max(held.attempts - 1, 0), 16)
    return min(times.retry * doublings, timedelta(hours=1))
