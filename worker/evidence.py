"""Writes evidence: what was moved, what was said to the vendor and what came back. Never changes it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert

from lettrlabs import Call
from models import EventLog, Move, Stage, State, VendorCall

WORKER = "worker"


def log(
    connection: Connection,
    mailing_id: int,
    now: datetime,
    move: Move,
    stage: Stage,
    state: State,
    *,
    actor: str = WORKER,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one move into the event log."""
    connection.execute(
        insert(EventLog),
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


def journal(
    connection: Connection,
    calls: Iterable[Call],
    mailing_id: int | None,
    stage: Stage | None,
    claim: UUID | None,
) -> None:
    """Write the calls that were made under a claim, whether or not the claim still held."""
    rows = [
        {
            "mailing_id": mailing_id,
            "stage": stage,
            "claim": claim,
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
            "started_at": call.started_at,
            "elapsed_ms": call.elapsed_ms,
        }
        for call in calls
    ]
    if rows:
        connection.execute(insert(VendorCall), rows)
