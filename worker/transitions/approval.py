"""The moves of who approves: agree, reject, or let a mailing try its budget again."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, insert

from models import ApprovalDecision, Decision, Mailing, Stage, State, Transition
from worker.billing import budgets
from worker.billing.approval_terms import ApprovalTerms, current_terms
from worker.transitions.operator import apply_operator_transition, requeue_now

REJECTED = "rejected"
_WAITS = (State.APPROVAL, Stage.CHECKOUT)


def approve(
    connection: Connection, mailing_id: int, who: str, now: datetime, *, seen: ApprovalTerms | None = None
) -> bool:
    """Agree to a mailing's people, proof, options and price, and write down what they were.

    False if the mailing does not wait for approval (any more), or is not (any more) what the person has ``seen``.
    """
    offer = current_terms(connection, mailing_id, lock=True)
    if offer is None or (seen is not None and offer != seen):
        return False
    values = {"approved_at": now, "approved_by": who, "reason": None, "reason_code": None} | requeue_now(now)
    if not apply_operator_transition(connection, mailing_id, Transition.APPROVE, *_WAITS, who, now, values):
        return False
    _write_down(connection, mailing_id, Decision.APPROVED, who, now, offer, why=None)
    return True


def reject(connection: Connection, mailing_id: int, who: str, why: str, now: datetime) -> bool:
    """Refuse a mailing that waits for approval: its draft is deleted, the reason kept. False if it does not wait."""
    offer = current_terms(connection, mailing_id, lock=True)
    if offer is None:
        return False
    reason = {"reason": rejection_label(who, why), "reason_code": REJECTED}
    values = {"cancel_requested": True} | reason | requeue_now(now)
    if not apply_operator_transition(
        connection, mailing_id, Transition.REJECT, *_WAITS, who, now, values, detail={"why": why}
    ):
        return False
    _write_down(connection, mailing_id, Decision.REJECTED, who, now, offer, why=why)
    return True


def rejection_label(who: str, why: str) -> str:
    """Return the reason that a rejected mailing keeps."""
    return f"rejected by {who}: {why}"


def retry_budget(connection: Connection, mailing_id: int, who: str, now: datetime) -> bool:
    """Let a mailing try its budget again, which has changed; False if that is not what it waits for."""
    values = {"reason": None, "reason_code": None} | requeue_now(now)
    waits_for_it = Mailing.reason_code == budgets.OVER_BUDGET
    return apply_operator_transition(
        connection, mailing_id, Transition.FIT, *_WAITS, who, now, values, only=waits_for_it
    )


def _write_down(
    connection: Connection,
    mailing_id: int,
    verdict: Decision,
    who: str,
    now: datetime,
    offer: ApprovalTerms,
    *,
    why: str | None,
) -> None:
    values = {"mailing_id": mailing_id, "verdict": verdict, "who": who, "at": now, "why": why}
    connection.execute(insert(ApprovalDecision), values | asdict(offer))
