"""The one writer of a mailing's stage and state.

Every statement in this package names the row's id **and** the stage, state and claim it expects. No row back means
that somebody else had the next word: the move is not made, and the caller must stop. ``models/states.py`` lists
the moves: ``opening`` begins a mailing, ``claims`` takes it, ``holder`` makes the moves of who holds it, ``people``
those of a person, ``approving`` those of who approves, ``rescheduling`` gives another time, ``vendor_changes``
asks about a sent one, ``due`` wakes what is due.
"""

from worker.transitions.apply import (
    PendingTransition,
    TransitionTimes,
    apply_result,
    apply_results,
    checkpoint,
)
from worker.transitions.approval import REJECTED, approve, reject, rejection_label, retry_budget
from worker.transitions.claims import ClaimedMailing, claim, claim_many
from worker.transitions.new_mailings import NewMailing, insert_mailings
from worker.transitions.occurrences import copy_campaign
from worker.transitions.operator import (
    SUSPECTED,
    CancelOutcome,
    Resolution,
    cancel,
    flag_possibly_sent,
    pause,
    resolve,
    unpause,
)
from worker.transitions.reschedule import RescheduleOutcome, reschedule
from worker.transitions.vendor_changes import note_order, reopen
from worker.transitions.wake import DueMailing, wake_due, wake_recently_dispatched

__all__ = [
    "REJECTED",
    "SUSPECTED",
    "CancelOutcome",
    "ClaimedMailing",
    "DueMailing",
    "NewMailing",
    "PendingTransition",
    "RescheduleOutcome",
    "Resolution",
    "TransitionTimes",
    "apply_result",
    "apply_results",
    "approve",
    "cancel",
    "checkpoint",
    "claim",
    "claim_many",
    "copy_campaign",
    "flag_possibly_sent",
    "insert_mailings",
    "note_order",
    "pause",
    "reject",
    "rejection_label",
    "reopen",
    "reschedule",
    "resolve",
    "retry_budget",
    "unpause",
    "wake_due",
    "wake_recently_dispatched",
]
