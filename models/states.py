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


class Move(StrEnum):
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

MOVES: dict[Move, frozenset[tuple[State, State]]] = {
    Move.CLAIM: frozenset({(_Q, _W)}),
    Move.STEAL: frozenset({(_W, _W)}),
    Move.ADVANCE: frozenset({(_W, _Q)}),
    Move.RUN_AHEAD: frozenset({(_W, _W)}),
    Move.WAIT: frozenset({(_W, _Q)}),
    Move.RETRY: frozenset({(_W, _Q)}),
    Move.UNSURE: frozenset({(_W, _Q)}),
    Move.ASK_APPROVAL: frozenset({(_W, _AP)}),
    Move.ASK_PERSON: frozenset({(_W, _AT)}),
    Move.SEND: frozenset({(_W, _S)}),
    Move.FAIL: frozenset({(_W, _F)}),
    Move.DISCARD: frozenset({(_W, _C)}),
    Move.APPROVE: frozenset({(_AP, _Q)}),
    Move.REJECT: frozenset({(_AP, _Q)}),
    Move.FIT: frozenset({(_AP, _Q)}),
    Move.REQUEST_CANCEL: frozenset({(_Q, _Q), (_W, _W), (_AP, _Q), (_AT, _Q)}),
    Move.CANCEL: frozenset({(_Q, _C), (_AT, _C)}),
    Move.SUSPECT: frozenset({(_Q, _AT), (_W, _AT), (_AP, _AT)}),
    Move.REOPEN: frozenset({(_S, _AT)}),
    Move.RESCHEDULE: frozenset({(_Q, _Q), (_W, _W), (_AP, _AP), (_AP, _Q), (_AT, _Q)}),
    Move.RESOLVE: frozenset({(_AT, _Q), (_AT, _S), (_AT, _F)}),
}
