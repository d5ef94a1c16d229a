"""The move that the vendor causes: a sent mailing needs a person once more, because its order was changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from models import Move, Stage, State
from worker import evidence
from worker.moves.people import move


def reopen(
    connection: Connection,
    mailing_id: int,
    code: str,
    why: str,
    facts: dict[str, Any],
    values: dict[str, Any],
    now: datetime,
) -> bool:
    """Ask a person about a sent mailing whose order the vendor changed; False if it is not sent (any more)."""
    asks = {"state": State.ATTENTION, "reason_code": code, "reason": why, **values}
    detail = {"why": why, "facts": facts}
    return move(
        connection,
        mailing_id,
        Move.REOPEN,
        State.SENT,
        Stage.SETTLE,
        evidence.WORKER,
        now,
        asks,
        detail=detail,
    )
