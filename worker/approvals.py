"""What an approver decides: agree to an offer, or accept a quote or charges that are in doubt."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select

from models import Difference, Mailing, State, StateChange, Transition
from worker import transitions
from worker.billing import acceptances
from worker.billing.acceptances import Acceptance
from worker.billing.approval_terms import ApprovalTerms
from worker.billing.order_changes import CHARGE_CHANGED
from worker.billing.reconciliation import CHARGE_DIFFERS
from worker.stages.quote_request import QUOTE_DOUBTS
from worker.transitions import Resolution

ACCEPTABLE: Final = QUOTE_DOUBTS | {CHARGE_DIFFERS, CHARGE_CHANGED}
# A mailing that needs attention for one of these is paid: once accepted, it is sent.
_OF_CHARGES: Final = frozenset({CHARGE_DIFFERS, CHARGE_CHANGED})
_ASKED: Final = (Transition.ASK_PERSON.value, Transition.REOPEN.value)


class ApprovalOutcome(StrEnum):
    """What came of an approval."""

    APPROVED = "approved"
    CHANGED = "is not any more what was shown; look again"
    OWN = "was submitted by the same person, who may not approve it here"
    NOT_WAITING = "does not wait for approval"
    NOT_IN_DOUBT = "has no quote and no charges in doubt that could be accepted"
    ONLY_ONCE = "differs in a way that is accepted for one mailing at a time"
    ACCEPTED = "accepted"


def approve(
    connection: Connection, mailing_id: int, who: str, now: datetime, *, seen: ApprovalTerms, four_eyes: bool
) -> ApprovalOutcome:
    """Agree to exactly what was seen. With `four_eyes`, who submitted a mailing may not approve it."""
    row = connection.execute(
        select(Mailing.state, Mailing.submitted_by).where(Mailing.id == mailing_id).with_for_update()
    ).one_or_none()
    if row is None or row.state is not State.APPROVAL:
        return ApprovalOutcome.NOT_WAITING
    if four_eyes and row.submitted_by == who:
        return ApprovalOutcome.OWN
    approved = transitions.approve(connection, mailing_id, who, now, seen=seen)
    return ApprovalOutcome.APPROVED if approved else ApprovalOutcome.CHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepting:
    """How a doubtful quote, or doubtful charges, are accepted: by whom, why, and whether from now on."""

    who: str
    why: str
    at: datetime
    from_now_on: bool
    four_eyes: bool


def accept(connection: Connection, mailing_id: int, accepting: Accepting) -> ApprovalOutcome:
    """Accept what a mailing needs attention for: exactly the amounts that were seen, or their kind from now on.

    A mailing before its checkout goes on; one whose charges were in doubt is sent.
    """
    row = connection.execute(
        select(Mailing.state, Mailing.reason_code, Mailing.submitted_by)
        .where(Mailing.id == mailing_id)
        .with_for_update()
    ).one_or_none()
    if row is None or row.state is not State.ATTENTION or row.reason_code not in ACCEPTABLE:
        return ApprovalOutcome.NOT_IN_DOUBT
    if accepting.four_eyes and row.submitted_by == accepting.who:
        return ApprovalOutcome.OWN
    seen = _seen(connection, mailing_id)
    kinds = [Difference(kind) for kind in seen.get("differences", ())]
    if not kinds:
        return ApprovalOutcome.NOT_IN_DOUBT
    if accepting.from_now_on and acceptances.ONLY_ONCE.intersection(kinds):
        return ApprovalOutcome.ONLY_ONCE
    acceptances.accept(
        connection,
        Acceptance(
            mailing_id=mailing_id,
            kinds=kinds,
            digest=None if accepting.from_now_on else bytes.fromhex(seen["digest"]),
            who=accepting.who,
            why=accepting.why,
            at=accepting.at,
        ),
    )
    way = Resolution.SENT if row.reason_code in _OF_CHARGES else Resolution.RETRY
    transitions.resolve(connection, mailing_id, way, accepting.who, accepting.why, accepting.at)
    return ApprovalOutcome.ACCEPTED


def _seen(connection: Connection, mailing_id: int) -> dict[str, Any]:
    """Return what was seen when the worker last asked a person about a mailing."""
    detail = connection.scalar(
        select(StateChange.detail)
        .where(StateChange.mailing_id == mailing_id, StateChange.move.in_(_ASKED))
        .order_by(StateChange.id.desc())
        .limit(1)
    )
    return dict((detail or {}).get("facts", {}))
