"""What one call asks and what is said to it, apart from HTTP."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from sandbox.domain.orders import Order
from sandbox.events import Fact
from sandbox.faults import FaultKind, FaultRule
from sandbox.http.routes import Route
from sandbox.state import State

Word = TypeVar("Word", bound=StrEnum)

_DEFAULT_PAGE = 100
_LARGEST_PAGE = 500  # a larger page is cut to this without a word


class RefusedError(Exception):
    """The vendor refuses the call and nothing has changed."""

    def __init__(self, status: int, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """A call carried out: the payload, what it changes, and whether the payload goes without an envelope."""

    payload: object
    facts: tuple[Fact, ...] = ()
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was let in. `now` is sandbox time, `fault` the fault that strikes it, if any."""

    world: State
    route: Route
    query: Mapping[str, str]
    body: object
    now: float
    fault: FaultRule | None = field(default=None)

    def order(self) -> Order:
        """Return the live order in the path; raises `RefusedError` 404 if there is none."""
        order = self.world.order(self.route.subject)
        if order is None:
            raise RefusedError(404, "Order not found", "OrderNotFound")
        return order

    def lagging(self, seconds: float) -> float:
        """Return the time whose state a read shows that lags by these seconds."""
        return self.now - seconds

    def struck_by(self, kind: FaultKind) -> bool:
        """Return whether this fault strikes the call."""
        return self.fault is not None and self.fault.kind is kind

    def members(self) -> Mapping[str, object]:
        """Return the body as an object; raises `RefusedError` 400 if it is none."""
        if not isinstance(self.body, dict):
            raise RefusedError(400, "A JSON object is expected")
        return self.body

    def choice(self, kind: type[Word], value: object, name: str) -> Word:
        """Return a word of the vendor's vocabulary; raises `RefusedError` 400 if it is none."""
        with _refusing(f"Unknown {name}"):
            return kind(str(value))

    def page(self) -> slice:
        """Return which rows `pageNumber` (from 0) and `pageSize` (100, at most 500), or Skip and Take, ask for."""
        query = self.query
        with _refusing("pageNumber and pageSize are whole numbers"):
            size = min(int(query.get("pageSize", query.get("take", _DEFAULT_PAGE))), _LARGEST_PAGE)
            first = int(query.get("skip", int(query.get("pageNumber", 0)) * size))
        if first < 0 or size < 1:
            raise RefusedError(400, "pageNumber starts at 0 and pageSize at 1")
        return slice(first, first + size)

    def numbers(self, name: str) -> list[int] | None:
        """Return a comma list of ids from the query, or None if it is absent."""
        given = self.query.get(name)
        if given is None:
            return None
        with _refusing(f"{name} is a comma list of numbers"):
            return list(dict.fromkeys(int(number) for number in given.split(",") if number.strip()))


@contextmanager
def _refusing(message: str) -> Iterator[None]:
    try:
        yield
    except ValueError:
        raise RefusedError(400, message) from None
