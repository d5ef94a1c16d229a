"""Writes evidence: what was moved, what was said to the vendor and what came back. Never changes it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, text

from lettrlabs import CallRecord, Outcome
from models import Stage, State, StateChange, Transition

WORKER = "worker"


def save_state_change(
    connection: Connection,
    mailing_id: int,
    now: datetime,
    move: Transition,
    stage: Stage,
    state: State,
    *,
    actor: str = WORKER,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one move into the event log."""
    connection.execute(
        insert(StateChange),
        {
            "mailing_id": mailing_id,
            "at": now,
            "move": move.value,
            "stage": stage.value,
            "state": state.value,
            "actor": actor,
            "detail": detail or {},
        },
    )


_CALLED = """
    INSERT INTO vendor_call (mailing_id, stage, claim, operation, method, path, request, answer, outcome, status,
                             request_id, words, reason_code, order_id, started_at, elapsed_ms)
    SELECT {whose}, c.operation, c.method, c.path, c.request, c.answer, c.outcome, c.status,
           c.request_id, c.words, c.reason_code, c.order_id, c.started_at, c.elapsed_ms
      FROM {source}jsonb_to_recordset(CAST({calls} AS jsonb))
           AS c (operation text, method text, path text, request jsonb, answer jsonb, outcome text, status int,
                 request_id text, words text, reason_code text, order_id bigint, started_at timestamptz,
                 elapsed_ms int)
"""
# For the statement of moves: `given` is what they were to do, `moved` the rows they moved; of others nothing is told.
JOURNAL_MOVED = _CALLED.format(
    whose="moved.id, :held_stage, given.held_claim",
    source="moved JOIN given ON given.held_id = moved.id CROSS JOIN LATERAL ",
    calls="given.calls",
)
_JOURNAL = text(
    _CALLED.format(
        whose="CAST(:mailing_id AS bigint), :stage, CAST(:claim AS uuid)", source="", calls=":calls"
    )
)


def save_calls(
    connection: Connection,
    calls: Sequence[CallRecord],
    mailing_id: int | None,
    stage: Stage | None,
    claim: UUID | None,
) -> None:
    """Write the calls that were made under a claim, whether or not the claim still held."""
    if calls:
        whose = {"mailing_id": mailing_id, "stage": stage, "claim": claim}
        connection.execute(_JOURNAL, whose | {"calls": calls_as_json(calls)})


def may_have_written(call: CallRecord, order_id: int | None) -> bool:
    """Return whether a call made or changed a mailing's order, or may have. One about a stray did not."""
    is_ours = call.operation == "create_order" or call.order_id == order_id
    return is_ours and call.method != "GET" and call.outcome in {Outcome.ACCEPTED, Outcome.UNKNOWN}


def calls_as_json(calls: Sequence[CallRecord]) -> str:
    """Return calls as the journal's statements take them."""
    return json.dumps([_told(call) for call in calls])


def _told(call: CallRecord) -> dict[str, Any]:
    return {
        "operation": call.operation,
        "method": call.method,
        "path": call.path,
        "request": dict(call.request),
        "answer": dict(call.answer),
        "outcome": call.outcome.value,
        "status": call.status,
        "request_id": call.request_id,
        "words": call.words,
        "reason_code": call.reason_code,
        "order_id": call.order_id,
        "started_at": call.started_at.isoformat(),
        "elapsed_ms": call.elapsed_ms,
    }
