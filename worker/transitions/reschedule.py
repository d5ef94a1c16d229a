"""Giving a mailing another time: possible until a worker may have begun to pay for it.

What is rescheduled is surely not paid before its new time: the row is locked, and what a claim needs, being queued
and due, is set anew with it. A wake-up of the old time finds a row that is not due and does nothing.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from models import ENDED, HoldMode, Mailing, Stage, State, Transition
from worker.scheduling.schedule import Schedule, ScheduleProblem
from worker.transitions.operator import apply_operator_transition, requeue_now


class RescheduleOutcome(StrEnum):
    """What asking for another time led to."""

    RESCHEDULED = "rescheduled"
    BUSY = "in a worker's hands"
    TOO_LATE = "too late"
    CANCELLING = "being cancelled"
    ASKING = "needs attention"
    ENDED = "ended"
    UNKNOWN = "unknown mailing"


def reschedule(
    connection: Connection, mailing_id: int, new: Schedule, who: str, now: datetime
) -> RescheduleOutcome:
    """Give a mailing another schedule; whatever changes what LettrLabs is asked is quoted, and approved, anew.

    BUSY passes in a moment. TOO_LATE says that it is paid, or that it is not known whether it is.
    """
    row = connection.execute(
        select(*Mailing.__table__.columns).where(Mailing.id == mailing_id).with_for_update()
    ).one_or_none()
    if row is None:
        return RescheduleOutcome.UNKNOWN
    objection = _objection(row)
    if objection is not None:
        return objection
    values = new.columns() | _where_to(row, new, now)
    detail = {"to": new.told()}
    made = apply_operator_transition(
        connection, mailing_id, Transition.RESCHEDULE, row.state, row.stage, who, now, values, detail=detail
    )
    return RescheduleOutcome.RESCHEDULED if made else RescheduleOutcome.BUSY


def _objection(row: Row[Any]) -> RescheduleOutcome | None:
    if row.state in ENDED:
        return RescheduleOutcome.TOO_LATE if row.state is State.SENT else RescheduleOutcome.ENDED
    if row.stage is Stage.SETTLE or (row.stage is Stage.CHECKOUT and row.recovering):
        return RescheduleOutcome.TOO_LATE
    if row.cancel_requested:
        return RescheduleOutcome.CANCELLING
    if row.state is State.WORKING and row.stage in {Stage.SUMMARIZE, Stage.CHECKOUT}:
        return RescheduleOutcome.BUSY
    if row.state is State.ATTENTION and row.reason_code not in set(ScheduleProblem):
        return RescheduleOutcome.ASKING
    return None


def _where_to(row: Row[Any], new: Schedule, now: datetime) -> dict[str, Any]:
    """Return what the new schedule means for the row beyond its own columns."""
    if row.state is State.WORKING or (row.state is State.QUEUED and row.stage is not Stage.CHECKOUT):
        return {}
    mended = {"reason": None, "reason_code": None, "attempts": 0}
    if row.stage is not Stage.CHECKOUT:
        return requeue_now(now) | mended
    if _asks_anew(row, new):
        void = {"approved_at": None, "approved_by": None, "price_until": None, "price_after": None}
        return requeue_now(now) | mended | void | {"stage": Stage.SUMMARIZE}
    if row.state is State.APPROVAL:
        return {}
    time = new.send.instant if new.send and new.send.instant > now else now
    return requeue_now(time) | mended


def _asks_anew(row: Row[Any], new: Schedule) -> bool:
    """Return whether the quote holds no more: the vendor's hold date, or the choice that arrives in time."""
    held_there = row.hold_until if row.hold_mode is HoldMode.VENDOR else None
    to_hold_there = new.hold_until if new.hold_mode is HoldMode.VENDOR else None
    other_day = new.deliver_by is not None and (new.send and new.send.instant) != row.send_at
    return held_there != to_hold_there or row.deliver_by != new.deliver_by or other_day
