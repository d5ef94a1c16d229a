"""What a stage may come to: a closed set. The pipeline turns each into exactly one move, a part of one into none."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Connection

from models import Stage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Effect(Generic[T]):
    """What is written in the transaction of a move; ``write`` takes those of several mailings at once.

    ``last`` if it locks what others wait for.
    """

    write: Callable[[Connection, Sequence[T]], None]
    what: T
    last: bool = False


Record: TypeAlias = Callable[[Connection], None] | Effect[Any]
Details: TypeAlias = Mapping[str, Any]


def nothing(_: Connection) -> None:
    """Record nothing beside the move."""


def write_effects(connection: Connection, records: Iterable[Record]) -> None:
    """Write what several moves want recorded: notes of one kind together, and then what is no note.

    The kinds come in one order whatever the moves are, or two transactions could wait for each other.
    """
    notes: dict[tuple[bool, str, str], list[Effect[Any]]] = defaultdict(list)
    others: list[Callable[[Connection], None]] = []
    for record in records:
        if isinstance(record, Effect):
            notes[record.last, record.write.__module__, record.write.__qualname__].append(record)
        else:
            others.append(record)
    for _, alike in sorted(notes.items()):
        alike[0].write(connection, [note.what for note in alike])
    for write in others:
        write(connection)


class ClaimConflictError(Exception):
    """What a move wanted to record belongs to somebody else by now: the whole move is undone."""


@dataclass(frozen=True, slots=True)
class Advance:
    """The stage is done; ``to`` is next. ``record`` is written in the same transaction as the move.

    So is ``ahead``, which is the next stage's, if that is to be done at once; should there be no room for it in a
    budget, it is left to that stage.
    """

    to: Stage
    values: Details = field(default_factory=dict)
    record: Record = nothing
    ahead: Record = nothing


@dataclass(frozen=True, slots=True)
class Proceed:
    """A part of the stage is done. Once ``record`` is committed and the lease renewed, ``then`` does the rest."""

    then: Callable[[], "Result"]
    values: Details = field(default_factory=dict)
    record: Record = nothing


@dataclass(frozen=True, slots=True)
class Continue:
    """Found out: the unsure write did not happen, or was undone. The stage may run afresh under the same claim."""

    why: str
    values: Details = field(default_factory=dict)
    record: Record = nothing


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after ``seconds``. No attempt is counted.

    ``missing_since`` is when a read first did not show what this waits to see, ``unanswered_since`` when the vendor
    first did not answer; a wait for something else forgets both.
    """

    seconds: float
    why: str
    record: Record = nothing
    missing_since: datetime | None = None
    unanswered_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """All is ready, and its time has not come: nothing is done before ``until``. No attempt is counted."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The stage failed in a way that may pass, and surely nothing was written. The attempt is counted."""

    why: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """A write may have happened. The stage's ``recover`` has the next word. The attempt is counted."""

    why: str


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """The price is known and a person must agree to it before checkout."""

    values: Details = field(default_factory=dict)
    record: Record = nothing
    why: str = "waits for approval"


@dataclass(frozen=True, slots=True)
class NeedsReview:
    """It is not known what is right. ``code`` is stable, ``why`` a sentence, ``facts`` what was seen."""

    code: str
    why: str
    facts: Details = field(default_factory=dict)
    values: Details = field(default_factory=dict)
    record: Record = nothing


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot be sent, and nothing of it is left at the vendor."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Completed:
    """Paid and settled."""

    values: Details = field(default_factory=dict)
    record: Record = nothing


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Cancelled as asked, or as its schedule says and ``why`` tells, and nothing of it is left at the vendor."""

    code: str | None = None
    why: str | None = None
    record: Record = nothing


Result: TypeAlias = (
    Advance
    | Proceed
    | Continue
    | Wait
    | Hold
    | Retry
    | OutcomeUnknown
    | NeedsApproval
    | NeedsReview
    | Failed
    | Completed
    | Cancelled
)
