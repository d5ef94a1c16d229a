"""What a reply, or its absence, means: for a write, whether it was applied; for a read, whether there is a value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from lettrlabs.envelope import Envelope, parse_envelope
from lettrlabs.outcomes import Outcome
from lettrlabs.transport import NoResponse, Reply

T = TypeVar("T")

Parse: TypeAlias = Callable[[Any], T]
"""From an envelope's payload to the value; raises ValueError where it is not one."""

_OK = range(200, 300)
_REFUSALS = range(400, 500)
_REQUEST_TIMEOUT = 408
_TOO_MANY = 429
# These say "send the same request elsewhere": it was not carried out. The other redirects, 302 and 303 first, are
# also how a server answers a POST that it has carried out.
_MOVED = (301, 307, 308)

_UNREADABLE = "the answer could not be read"


@dataclass(frozen=True, slots=True)
class Classification(Generic[T]):
    """How a call ended. `value` is there if it was accepted or read; `again` is True where a read may be repeated."""

    outcome: Outcome
    why: str
    envelope: Envelope
    value: T | None = None
    again: bool = False


def of_write(
    result: Reply | NoResponse, parse: Parse[T], applied: Callable[[T], bool], key: str
) -> Classification[T]:
    """Tell a write that was applied from one that was refused, one that was not sent, and one that nobody can tell.

    `applied` says of a value that came beside errors whether it speaks of something done.
    """
    if isinstance(result, NoResponse):
        outcome = Outcome.UNKNOWN if result.sent else Outcome.NOT_SENT
        return Classification(outcome, result.why, Envelope(readable=False))
    envelope = parse_envelope(result, key)
    if result.status not in _OK:
        return Classification(_of_status(result.status), f"the vendor answered {result.status}", envelope)
    value, parsed = _value(envelope, parse)
    if envelope.has_errors:
        if parsed and value is not None and applied(value):
            return Classification(Outcome.UNKNOWN, "the answer tells of errors and of a result", envelope)
        return Classification(Outcome.REJECTED, "the answer tells of errors", envelope)
    if not parsed:
        return Classification(Outcome.UNKNOWN, _UNREADABLE, envelope)
    return Classification(Outcome.ACCEPTED, "", envelope, value)


def of_read(result: Reply | NoResponse, parse: Parse[T], key: str) -> Classification[T]:
    """Tell a value from a refusal, and both from an answer that did not come or cannot be read."""
    if isinstance(result, NoResponse):
        return Classification(Outcome.UNAVAILABLE, result.why, Envelope(readable=False), again=True)
    envelope = parse_envelope(result, key)
    if result.status not in _OK:
        passing = result.status not in range(300, 500) or result.status in (_REQUEST_TIMEOUT, _TOO_MANY)
        outcome = Outcome.UNAVAILABLE if passing else Outcome.REFUSED
        return Classification(outcome, f"the vendor answered {result.status}", envelope, again=passing)
    if envelope.has_errors:
        return Classification(Outcome.REFUSED, "the answer tells of errors", envelope)
    value, parsed = _value(envelope, parse)
    if not parsed:
        return Classification(Outcome.UNAVAILABLE, _UNREADABLE, envelope)
    return Classification(Outcome.READ, "", envelope, value)


def _of_status(status: int) -> Outcome:
    if status == _TOO_MANY:
        return Outcome.NOT_SENT
    if status in _MOVED or (status in _REFUSALS and status != _REQUEST_TIMEOUT):
        return Outcome.REJECTED
    return Outcome.UNKNOWN


def _value(envelope: Envelope, parse: Parse[T]) -> tuple[T | None, bool]:
    if not envelope.readable:
        return None, False
    try:
        return parse(envelope.payload), True
    except (ValueError, ArithmeticError):
        # Dropped with its text, which may quote people.
        return None, False
