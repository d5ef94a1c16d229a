"""The moves of who holds a claim: each result of a stage is exactly one of them, fenced by the claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from lettrlabs import Call
from models import Move, Stage, State
from worker import budgets, outbox
from worker.moves.claims import Held
from worker.moves.fenced import Trace, fenced
from worker.results import (
    Advance,
    Again,
    AskApproval,
    AskPerson,
    Discarded,
    Facts,
    Fail,
    Hold,
    Record,
    Result,
    Retry,
    Sent,
    Unsure,
    Wait,
    nothing,
)


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
    "reason": None,
    "reason_code": None,
}
_FREE: dict[str, Any] = {"claim": None, "lease_until": None}


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
    Raises Contested, to undo the whole transaction, where the record says so.
    """
    move, values, record, why = _meaning(held, result, now, times)
    detail: dict[str, Any] = {"why": why} if why else {}
    if isinstance(result, AskPerson):
        detail |= {"facts": dict(result.facts)}
    state = values.get("state", State.WORKING)
    trace = Trace(calls, move, state, detail, outbox.of_result(result))
    after = fenced(connection, held, {"updated_at": now} | values, now, trace)
    if after is not None:
        record(connection)
        budgets.follow(connection, held.id, state, now)
        outbox.follow(connection, held.id, result, now)
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
    renewed = {"lease_until": now + lease, "wake_at": now + lease, "updated_at": now}
    after = fenced(connection, held, renewed | dict(values), now, Trace(calls))
    if after is not None:
        record(connection)
    return after


_Meaning = tuple[Move, dict[str, Any], Record, str | None]


def _meaning(held: Held, result: Result, now: datetime, times: Times) -> _Meaning:
    match result:
        case Advance(to, values, record):
            return _advance(to, dict(values), record, now, times)
        case Again(why, values, record):
            lease = {"lease_until": now + times.lease, "wake_at": now + times.lease}
            return Move.RUN_AHEAD, lease | {"recovering": False, "unsure_since": None, **values}, record, why
        case Wait() | Hold():
            return _wait(held, result, now)
        case Retry(why):
            return Move.RETRY, _later(now + _backoff(held, times), why), nothing, why
        case Unsure(why):
            unsure = {"recovering": True, "unsure_since": now}
            return Move.UNSURE, _later(now + _backoff(held, times), why) | unsure, nothing, why
        case _:
            return _handed_over(result, now)


def _wait(held: Held, result: Wait | Hold, now: datetime) -> _Meaning:
    counts = {"attempts": max(held.attempts - 1, 0)}
    if isinstance(result, Hold):
        return Move.WAIT, _later(result.until, result.why) | counts | {"waits": 0}, nothing, result.why
    until = now + timedelta(seconds=result.seconds)
    counts["waits"] = held.waits + 1
    return Move.WAIT, _later(until, result.why) | counts, result.record, result.why


def _advance(to: Stage, values: dict[str, Any], record: Record, now: datetime, times: Times) -> _Meaning:
    if times.run_ahead and to is not Stage.SETTLE:
        lease = {"lease_until": now + times.lease, "wake_at": now + times.lease}
        return Move.RUN_AHEAD, _FRESH | {"attempts": 1, "stage": to} | lease | values, record, None
    # The chain's next link is on its way; should it be lost, the due scan pushes the row again.
    later = now if to is Stage.SETTLE else now + times.push_again
    queued = {"state": State.QUEUED, "stage": to, "not_before": now, "wake_at": later}
    return Move.ADVANCE, _FRESH | _FREE | queued | values, record, None


def _handed_over(result: Result, now: datetime) -> _Meaning:
    asleep = _FREE | {"wake_at": None}
    match result:
        case AskApproval(values, record, why):
            asks = {"state": State.APPROVAL, "stage": Stage.CHECKOUT, "reason": why, **values}
            return Move.ASK_APPROVAL, _FRESH | asleep | asks, record, why
        case AskPerson(code, why, _, values, record):
            asks = {"state": State.ATTENTION, "reason_code": code, "reason": why, **values}
            return Move.ASK_PERSON, asleep | asks, record, why
        case Fail(code, why):
            ends = {"state": State.FAILED, "reason_code": code, "reason": why}
            return Move.FAIL, _FRESH | asleep | ends, nothing, why
        case Sent(values, record):
            return Move.SEND, _FRESH | asleep | {"state": State.SENT, **values}, record, None
        case Discarded(code, why, record):
            dropped = {"state": State.CANCELLED, "reason_code": code, "reason": why}
            return Move.DISCARD, _FRESH | asleep | dropped, record, why
        case _:
            raise AssertionError(f"no move for {type(result).__name__} at {now}")


def _later(when: datetime, why: str) -> dict[str, Any]:
    return _FREE | {"state": State.QUEUED, "not_before": when, "wake_at": when, "reason": why}


def _backoff(held: Held, times: Times) -> timedelta:
    doublings: int = 2 ** min(max(held.attempts - 1, 0), 16)
    return min(times.retry * doublings, timedelta(hours=1))
