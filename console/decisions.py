"""What a person decides about mailings, carried out one by one, each in a transaction of its own."""

import getpass
from collections.abc import Iterable, Mapping
from typing import Final

from console.session import Session
from worker import moves
from worker.clock import system_clock
from worker.moves import CancelOutcome, Resolution


def who() -> str:
    """Return by what name this person's decisions are written down."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return "console"


def approve_all(session: Session, mailing_ids: Iterable[int]) -> list[int]:
    """Agree to the price of these mailings; returns those that did wait for it."""
    return [one for one in mailing_ids if _approve(session, one)]


def cancel_all(session: Session, mailing_ids: Iterable[int]) -> dict[int, CancelOutcome]:
    """Cancel these mailings as far as it still can be done; returns what came of each."""
    return {one: _cancel(session, one) for one in mailing_ids}


def resolve(session: Session, mailing_id: int, resolution: Resolution, why: str) -> bool:
    """Carry out what was decided about a mailing that needs attention; False if that does not apply to it."""
    with session.engine.begin() as connection:
        return moves.resolve(connection, mailing_id, resolution, who(), why, system_clock())


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


def _approve(session: Session, mailing_id: int) -> bool:
    with session.engine.begin() as connection:
        return moves.approve(connection, mailing_id, who(), system_clock())


def _cancel(session: Session, mailing_id: int) -> CancelOutcome:
    with session.engine.begin() as connection:
        return moves.cancel(connection, mailing_id, who(), system_clock())
