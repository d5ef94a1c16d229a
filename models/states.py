"""The stages and states of a mailing, and the legal moves between states, as data.

``docs/concepts.md`` draws these moves; a test holds the drawing to this table, and
``worker/moves.py`` is the only module that makes them.
"""

from enum import IntEnum, StrEnum


class Stage(StrEnum):
    """The recovery point of a mailing: the next thing to do."""

    CREATE = "create"
    ATTACH = "attach"
    PROOF = "proof"
    SUMMARIZE = "summarize"
    CHECKOUT = "checkout"
    SETTLE = "settle"


class State(StrEnum):
    """Who has the next word on a mailing."""

    QUEUED = "queued"
    WORKING = "working"
    APPROVAL = "approval"
    ATTENTION = "attention"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Approval(StrEnum):
    """Whether a person must agree to the price before checkout: never, always, or above an amount."""

    AUTO = "auto"
    REQUIRED = "required"
    OVER = "over"


class Priority(IntEnum):
    """Which due mailings go first: the lower number."""

    EVENT = 1
    CAMPAIGN = 5


ENDED = frozenset({State.SENT, State.FAILED, State.CANCELLED})
OPEN = frozenset(State) - ENDED


class Transition(StrEnum):
    """Every way a mailing's state may change."""

    CLAIM = "claim"
    STEAL = "steal"
    ADVANCE = "advance"
    RUN_AHEAD = "run ahead"
    WAIT = "wait"
    RETRY = "retry"
    UNSURE = "unsure"
    ASK_APPROVAL = "ask approval"
    ASK_PERSON = "ask person"
    SEND = "send"
    FAIL = "fail"
    DISCARD = "discard"
    APPROVE = "approve"
    REJECT = "reject"
    FIT = "fit"
    REQUEST_CANCEL = "request cancel"
    CANCEL = "cancel"
    RESOLVE = "resolve"
    RESCHEDULE = "reschedule"
    SUSPECT = "suspect"
    REOPEN = "reopen"


_Q, _W, _AP, _AT = State.QUEUED, State.WORKING, State.APPROVAL, State.ATTENTION
_S, _F, _C = State.SENT, State.FAILED, State.CANCELLED

TRANSITIONS: dict[Transition, frozenset[tuple[State, State]]] = {
    Transition.CLAIM: frozenset({(_Q, _W)}),
    Transition.STEAL: frozenset({(_W, _W)}),
    Transition.ADVANCE: frozenset({(_W, _Q)}),
    Transition.RUN_AHEAD: frozenset({(_W, _W)}),
    Transition.WAIT: frozenset({(_W, _Q)}),
    Transition.RETRY: frozenset({(_W, _Q)}),
    Transition.UNSURE: frozenset({(_W, _Q)}),
    Transition.ASK_APPROVAL: frozenset({(_W, _AP)}),
    Transition.ASK_PERSON: frozenset({(_W, _AT)}),
    Transition.SEND: frozenset({(_W, _S)}),
    Transition.FAIL: frozenset({(_W, _F)}),
    Transition.DISCARD: frozenset({(_W, _C)}),
    Transition.APPROVE: frozenset({(_AP, _Q)}),
    Transition.REJECT: frozenset({(_AP, _Q)}),
    Transition.FIT: frozenset({(_AP, _Q)}),
    Transition.REQUEST_CANCEL: frozenset({(_Q, _Q), (_W, _W), (_AP, _Q), (_AT, _Q)}),
    Transition.CANCEL: frozenset({(_Q, _C), (_AT, _C)}),
    Transition.SUSPECT: frozenset({(_Q, _AT), (_W, _AT), (_AP, _AT)}),
    Transition.REOPEN: frozenset({(_S, _AT)}),
    Transition.RESCHEDULE: frozenset({(_Q, _Q), (_W, _W), (_AP, _AP), (_AP, _Q), (_AT, _Q)}),
    Transition.RESOLVE: frozenset({(_AT, _Q), (_AT, _S), (_AT, _F)}),
}
