"""The one writer of a mailing's stage and state.

Every statement in this package names the row's id **and** the stage, state and claim it expects. No row back means
that somebody else had the next word: the move is not made, and the caller must stop. ``models/states.py`` lists
the moves: ``opening`` begins a mailing, ``claims`` takes it, ``holder`` makes the moves of who holds it, ``people``
those of a person, ``approving`` those of who approves, ``rescheduling`` gives another time, ``vendor_changes``
asks about a sent one, ``due`` wakes what is due.
"""

from worker.transitions.apply import Making, Times, checkpoint, make, make_together
from worker.transitions.approval import REJECTED, approve, fit, reject, rejection_words
from worker.transitions.claims import Held, claim, claim_together
from worker.transitions.new_mailings import NewMailing, open_mailings
from worker.transitions.occurrences import open_occurrence
from worker.transitions.operator import (
    SUSPECTED,
    CancelOutcome,
    Resolution,
    cancel,
    pause,
    resolve,
    suspect,
    unpause,
)
from worker.transitions.reschedule import RescheduleOutcome, reschedule
from worker.transitions.vendor_changes import note_order, reopen
from worker.transitions.wake import Due, wake_due, wake_pushed

__all__ = [
    "REJECTED",
    "SUSPECTED",
    "CancelOutcome",
    "Due",
    "Held",
    "Making",
    "NewMailing",
    "RescheduleOutcome",
    "Resolution",
    "Times",
    "approve",
    "cancel",
    "checkpoint",
    "claim",
    "claim_together",
    "fit",
    "make",
    "make_together",
    "note_order",
    "open_mailings",
    "open_occurrence",
    "pause",
    "reject",
    "rejection_words",
    "reopen",
    "reschedule",
    "resolve",
    "suspect",
    "unpause",
    "wake_due",
    "wake_pushed",
]
