"""What changes of a paid order do to its mailing, which may need a person again."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from models import Mailing, Stage, State, Transition
from worker.audit import journal
from worker.transitions.operator import apply_operator_transition


def note_order(connection: Connection, mailing_id: int, order_id: int, values: dict[str, Any]) -> bool:
    """Write down what the vendor shows of a sent mailing's order; False if it is not sent (any more)."""
    here = (Mailing.id == mailing_id, Mailing.state == State.SENT, Mailing.order_id == order_id)
    return connection.execute(update(Mailing).where(*here).values(**values)).rowcount > 0


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
    return apply_operator_transition(
        connection,
        mailing_id,
        Transition.REOPEN,
        State.SENT,
        Stage.SETTLE,
        journal.WORKER,
        now,
        asks,
        detail=detail,
    )
