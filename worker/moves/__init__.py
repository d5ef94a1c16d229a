"""The one writer of a mailing's stage and state.

Every statement in this package names the row's id **and** the stage, state and claim it expects. No row back means
that somebody else had the next word: the move is not made, and the caller must stop. ``models/states.py`` lists
the moves: ``opening`` begins a mailing, ``claims`` takes it, ``holder`` makes the moves of who holds it, ``people``
those of a person, ``due`` wakes what is due.
"""

from worker.moves.claims import Held, claim
from worker.moves.due import Due, wake_due, wake_pushed
from worker.moves.holder import Times, checkpoint, make
from worker.moves.opening import NewMailing, open_mailing
from worker.moves.people import CancelOutcome, Resolution, approve, cancel, pause, resolve, suspect, unpause

__all__ = [
    "CancelOutcome",
    "Due",
    "Held",
    "NewMailing",
    "Resolution",
    "Times",
    "approve",
    "cancel",
    "checkpoint",
    "claim",
    "make",
    "open_mailing",
    "pause",
    "resolve",
    "suspect",
    "unpause",
    "wake_due",
    "wake_pushed",
]
