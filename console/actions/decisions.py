"""What a person decides about mailings, carried out one by one, each in a transaction of its own."""

import getpass
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, select

from console.queries.offers import Terms, terms
from console.session import Session
from models import Mailing, State
from worker import approvals, transitions
from worker.approvals import Accepting, ApprovalOutcome
from worker.clock import system_clock
from worker.transitions import CancelOutcome, Resolution


def who(actor: str | None = None) -> str:
    """Return by what name this person's decisions are written down: the one they gave, else their login's."""
    if actor is not None and actor.strip():
        return actor.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return "console"


def approve_all(session: Session, shown: Mapping[int, Terms], actor: str) -> dict[int, ApprovalOutcome]:
    """Approve exactly what was shown of these mailings, all of them or none; returns why not, empty if approved."""
    with session.engine.connect() as connection, connection.begin() as transaction:
        # Mailings are locked before any budget, and in one sequence: two approvals cannot deadlock.
        _lock(connection, shown)
        now = terms(connection, shown)
        outcomes = {
            one: _approve(session, connection, one, actor, agreed)
            if now.get(one) == agreed
            else ApprovalOutcome.CHANGED
            for one, agreed in shown.items()
        }
        objections: dict[int, ApprovalOutcome] = {
            one: outcome for one, outcome in outcomes.items() if outcome is not ApprovalOutcome.APPROVED
        }
        if objections:
            transaction.rollback()
    return objections


def objection(session: Session, mailing_id: int, actor: str) -> ApprovalOutcome | None:
    """Return why this person cannot approve a mailing, None if they can."""
    with session.engine.connect() as connection:
        row = connection.execute(
            select(Mailing.state, Mailing.submitted_by).where(Mailing.id == mailing_id)
        ).one_or_none()
    if row is None or row.state is not State.APPROVAL:
        return ApprovalOutcome.NOT_WAITING
    return ApprovalOutcome.OWN if session.settings.four_eyes and row.submitted_by == actor else None


def reject_all(session: Session, mailing_ids: Iterable[int], why: str, actor: str) -> list[int]:
    """Refuse these mailings; returns those that did wait for approval."""
    return [one for one in mailing_ids if _reject(session, one, why, actor)]


def cancel_all(session: Session, mailing_ids: Iterable[int]) -> dict[int, CancelOutcome]:
    """Cancel these mailings as far as it still can be done; returns what came of each."""
    return {one: _cancel(session, one) for one in mailing_ids}


def resolve(session: Session, mailing_id: int, resolution: Resolution, why: str) -> bool:
    """Carry out what was decided about a mailing that needs attention; False if that does not apply to it."""
    with session.engine.begin() as connection:
        return transitions.resolve(connection, mailing_id, resolution, who(), why, system_clock())


def accept(session: Session, mailing_id: int, why: str, actor: str, *, from_now_on: bool) -> ApprovalOutcome:
    """Accept a quote or charges that are in doubt; returns what came of it."""
    accepting = Accepting(
        who=actor,
        why=why,
        at=system_clock(),
        from_now_on=from_now_on,
        four_eyes=session.settings.four_eyes,
    )
    with session.engine.begin() as connection:
        return approvals.accept(connection, mailing_id, accepting)


def outcome_label(outcome: CancelOutcome) -> str:
    """Return what came of a cancellation, as a sentence without a subject."""
    return _WORDS[outcome]


def has_failed(outcomes: Mapping[int, CancelOutcome]) -> bool:
    """Whether something goes on in spite of being cancelled."""
    return any(one in {CancelOutcome.TOO_LATE, CancelOutcome.UNKNOWN} for one in outcomes.values())


_WORDS: Final = {
    CancelOutcome.CANCELLED: "cancelled; nothing of it is at LettrLabs",
    CancelOutcome.REQUESTED: "will be cancelled: a worker deletes its draft before anything else",
    CancelOutcome.TOO_LATE: "too late: it is checked out, and only LettrLabs' support can still stop it",
    CancelOutcome.ENDED: "had ended before, without being sent",
    CancelOutcome.UNKNOWN: "there is no such mailing; see `mailrun mailing list`",
}


def _lock(connection: Connection, mailing_ids: Iterable[int]) -> None:
    statement = select(Mailing.id).where(Mailing.id.in_(list(mailing_ids)))
    connection.execute(statement.order_by(Mailing.id).with_for_update())


def _approve(
    session: Session, connection: Connection, mailing_id: int, actor: str, agreed: Terms
) -> ApprovalOutcome:
    return approvals.approve(
        connection,
        mailing_id,
        actor,
        system_clock(),
        seen=agreed.offer,
        four_eyes=session.settings.four_eyes,
    )


def _reject(session: Session, mailing_id: int, why: str, actor: str) -> bool:
    with session.engine.begin() as connection:
        return transitions.reject(connection, mailing_id, actor, why, system_clock())


def _cancel(session: Session, mailing_id: int) -> CancelOutcome:
    with session.engine.begin() as connection:
        return transitions.cancel(connection, mailing_id, who(), system_clock())
