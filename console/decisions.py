"""What a person decides about mailings, carried out one by one, each in a transaction of its own."""

import getpass
from collections.abc import Iterable, Mapping
from typing import Final

from console.session import Session
from worker import approvals, moves
from worker.approvals import Accepting, Outcome
from worker.clock import system_clock
from worker.moves import CancelOutcome, Resolution
from worker.offers import Offer, offered


def who(actor: str | None = None) -> str:
    """Return by what name this person's decisions are written down: the one they gave, else their login's."""
    if actor is not None and actor.strip():
        return actor.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return "console"


def offers(session: Session, mailing_ids: Iterable[int]) -> dict[int, Offer]:
    """Return what would be agreed to by approving these mailings; those that there are not are left out."""
    with session.engine.connect() as connection:
        found = {one: offered(connection, one) for one in mailing_ids}
    return {one: offer for one, offer in found.items() if offer is not None}


def approve_all(session: Session, seen: Mapping[int, Offer], actor: str) -> dict[int, Outcome]:
    """Agree to exactly what was seen of these mailings; returns what came of each."""
    return {one: _approve(session, one, offer, actor) for one, offer in seen.items()}


def reject_all(session: Session, mailing_ids: Iterable[int], why: str, actor: str) -> list[int]:
    """Refuse these mailings; returns those that did wait for approval."""
    return [one for one in mailing_ids if _reject(session, one, why, actor)]


def cancel_all(session: Session, mailing_ids: Iterable[int]) -> dict[int, CancelOutcome]:
    """Cancel these mailings as far as it still can be done; returns what came of each."""
    return {one: _cancel(session, one) for one in mailing_ids}


def resolve(session: Session, mailing_id: int, resolution: Resolution, why: str) -> bool:
    """Carry out what was decided about a mailing that needs attention; False if that does not apply to it."""
    with session.engine.begin() as connection:
        return moves.resolve(connection, mailing_id, resolution, who(), why, system_clock())


def accept(session: Session, mailing_id: int, why: str, actor: str, *, from_now_on: bool) -> Outcome:
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


def outcome_words(outcome: CancelOutcome) -> str:
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


def _approve(session: Session, mailing_id: int, seen: Offer, actor: str) -> Outcome:
    four_eyes = session.settings.four_eyes
    with session.engine.begin() as connection:
        return approvals.approve(
            connection, mailing_id, actor, system_clock(), seen=seen, four_eyes=four_eyes
        )


def _reject(session: Session, mailing_id: int, why: str, actor: str) -> bool:
    with session.engine.begin() as connection:
        return moves.reject(connection, mailing_id, actor, why, system_clock())


def _cancel(session: Session, mailing_id: int) -> CancelOutcome:
    with session.engine.begin() as connection:
        return moves.cancel(connection, mailing_id, who(), system_clock())
