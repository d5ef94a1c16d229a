"""What a call to the vendor can end in: four answers for writes, two failures for reads, one record for both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

T_co = TypeVar("T_co", covariant=True)

Scalar: TypeAlias = str | int | bool | None


class Outcome(StrEnum):
    """How one HTTP call ended. The first four are of writes, the last three of reads."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    READ = "read"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """Evidence of one HTTP call, retries counted apart. Holds no key and, but for `words`, no personal data.

    `path` is below the base URL; `request` and `answer` are JSON-able summaries, of counts, options and money;
    `started_at` is aware, in UTC; `elapsed_ms` spans the exchange, without the wait for a rate slot. `words` are the
    vendor's own, cleaned and cut; they may quote an address, so no repr shows them.
    """

    operation: str
    method: str
    path: str
    request: Mapping[str, Scalar]
    started_at: datetime
    elapsed_ms: int
    status: int | None
    outcome: Outcome
    request_id: str | None
    words: str | None = field(repr=False)
    reason_code: str | None
    order_id: int | None
    answer: Mapping[str, Scalar] = field(default_factory=dict)

    @classmethod
    def of_list(cls, operation: str, outcome: Outcome) -> "CallRecord":
        """Return the record of a list that took several calls, each of which was answered with 200."""
        now = datetime.now(UTC)
        return cls(operation, "GET", "", {}, now, 0, 200, outcome, None, None, None, None)


CallObserver: TypeAlias = Callable[[CallRecord], None]


@dataclass(frozen=True, slots=True)
class Accepted(Generic[T_co]):
    """The vendor did it, and said so legibly."""

    value: T_co
    call: CallRecord


@dataclass(frozen=True, slots=True)
class Rejected:
    """The vendor refused, and nothing was applied: the same request would be refused again."""

    status: int
    words: str | None = field(repr=False)
    reason_code: str | None
    call: CallRecord


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing was applied, and later it may well be: no connection, no rate slot, or a 429.

    `retry_after` is in seconds, None when nobody said.
    """

    why: str
    retry_after: float | None
    call: CallRecord


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have been applied: find out before sending it again."""

    why: str
    call: CallRecord


WriteOutcome: TypeAlias = Accepted[T_co] | Rejected | NotSent | Unknown


class VendorError(Exception):
    """A read brought no value. The message names the operation and the cause, never the vendor's words."""


class Unavailable(VendorError):  # noqa: N818 - named for what is said of the vendor
    """The vendor could not be asked, or its answer could not be read: try later.

    `retry_after` is in seconds, None when nobody said.
    """

    def __init__(self, why: str, retry_after: float | None, call: CallRecord) -> None:
        super().__init__(f"LettrLabs is unavailable for {call.operation}: {why}")
        self.why = why
        self.retry_after = retry_after
        self.call = call


class Refused(VendorError):  # noqa: N818 - as Unavailable
    """The vendor answered the read with a refusal; `words` are its own and may quote an address."""

    def __init__(self, status: int, words: str | None, reason_code: str | None, call: CallRecord) -> None:
        code = f", {reason_code}" if reason_code else ""
        super().__init__(f"LettrLabs refused {call.operation} ({status}{code})")
        self.status = status
        self.words = words
        self.reason_code = reason_code
        self.call = call
