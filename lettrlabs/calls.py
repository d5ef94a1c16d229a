"""One operation from start to end: a rate slot, the exchange, the verdict, the evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import getLogger
from time import monotonic, sleep
from typing import Any, Generic, TypeVar, cast

from pydantic import SecretStr

from lettrlabs.call_summary import told_of
from lettrlabs.classify import Classification, Parse, of_read, of_write
from lettrlabs.outcomes import (
    Accepted,
    CallObserver,
    CallRecord,
    NotSent,
    Outcome,
    Refused,
    Rejected,
    Scalar,
    Unavailable,
    Unknown,
    WriteOutcome,
)
from lettrlabs.rate_limit import RateLimit
from lettrlabs.timeouts import Timeouts
from lettrlabs.transport import NoResponse, Reply, Transport

log = getLogger(__name__)

T = TypeVar("T")

# Seconds before a read's second and third try: enough for a connection or a vendor's process to come back; anything
# longer is the caller's to wait for, without holding a thread.
_PAUSES = (0.2, 0.8)

# A vendor that asks for more than this many seconds is left to the caller.
_LONGEST_PAUSE = 5.0

_TOO_MANY = 429
# Seconds of quiet after a 429 that names none.
_QUIET = 2.0


def _is_there(value: object) -> bool:
    return value is not None


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One thing to ask of the vendor: `target` is the path and its query, `summary` what evidence may tell of it."""

    name: str
    method: str
    target: str
    parse: Parse[T]
    body: bytes | None = field(default=None, repr=False)
    summary: Mapping[str, Scalar] = field(default_factory=dict)
    order_id: int | None = None
    applied: Callable[[T], bool] = _is_there


@dataclass(frozen=True, slots=True)
class _Tried:
    """One try, before anyone has judged it; `retry_after` is in seconds, `asked` is False if there was no slot."""

    result: Reply | NoResponse
    started_at: datetime
    elapsed: float
    retry_after: float | None
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Calls:
    """Makes calls and reports each to `sink`. Copies share connections and rate limit."""

    transport: Transport
    rate: RateLimit
    timeouts: Timeouts
    key: SecretStr
    sink: CallObserver | None = None

    def write(
        self, operation: Operation[T], order_of: Callable[[T], int | None] | None = None
    ) -> WriteOutcome[T]:
        """Send it once. `order_of` tells the order from the value where the operation did not know it yet."""
        tried = self._try(operation, monotonic() + self.timeouts.total)
        verdict = of_write(tried.result, operation.parse, operation.applied, self.key.get_secret_value())
        made = cast("T", verdict.value)
        order_id = order_of(made) if order_of and verdict.outcome is Outcome.ACCEPTED else operation.order_id
        call = self._report(operation, tried, verdict, order_id)
        match verdict.outcome:
            case Outcome.ACCEPTED:
                return Accepted(made, call)
            case Outcome.REJECTED:
                return Rejected(call.status or 0, call.words, call.reason_code, call)
            case Outcome.NOT_SENT:
                return NotSent(verdict.why, tried.retry_after, call)
            case _:
                return Unknown(verdict.why, call)

    def read(self, operation: Operation[T]) -> T:
        """Ask until there is an answer, three times at most and within the total.

        Raises Refused or Unavailable.
        """
        due = monotonic() + self.timeouts.total
        for pause in (*_PAUSES, None):
            tried = self._try(operation, due)
            verdict = of_read(tried.result, operation.parse, self.key.get_secret_value())
            call = self._report(operation, tried, verdict, operation.order_id)
            if verdict.outcome is Outcome.READ:
                return cast("T", verdict.value)
            if verdict.outcome is Outcome.REFUSED:
                raise Refused(call.status or 0, call.words, call.reason_code, call)
            wait = max(pause or 0.0, tried.retry_after or 0.0)
            worthwhile = tried.asked and verdict.again and wait <= min(_LONGEST_PAUSE, due - monotonic())
            if pause is None or not worthwhile:
                break
            sleep(wait)
        raise Unavailable(verdict.why, tried.retry_after, call)

    def _try(self, operation: Operation[Any], due: float) -> _Tried:
        delay = self.rate.wait(min(self.timeouts.slot, due - monotonic()))
        started_at, start = datetime.now(UTC), monotonic()
        if delay is not None:
            nothing = NoResponse(sent=False, why="no slot within the rate limit")
            return _Tried(nothing, started_at, 0.0, delay, asked=False)
        result = self.transport.exchange(operation.method, operation.target, operation.body, due)
        elapsed = monotonic() - start
        if isinstance(result, NoResponse):
            return _Tried(result, started_at, elapsed, None)
        if result.status == _TOO_MANY:
            self.rate.hush(_QUIET if result.retry_after is None else result.retry_after)
        return _Tried(result, started_at, elapsed, result.retry_after)

    def _report(
        self, operation: Operation[Any], tried: _Tried, verdict: Classification[Any], order_id: int | None
    ) -> CallRecord:
        request_id = tried.result.request_id
        if request_id and self.key.get_secret_value() in request_id:
            request_id = None
        call = CallRecord(
            operation=operation.name,
            method=operation.method,
            path=operation.target.partition("?")[0],
            request=operation.summary,
            started_at=tried.started_at,
            elapsed_ms=round(tried.elapsed * 1000),
            status=tried.result.status,
            outcome=verdict.outcome,
            request_id=request_id,
            words=verdict.envelope.words,
            reason_code=verdict.envelope.reason_code,
            order_id=order_id,
            answer=told_of(verdict.value),
        )
        log.debug("lettrlabs.call %s", call)
        if self.sink:
            self.sink(call)
        return call
