"""Numbers of a JSON document that keep the text in which they were written.

A double keeps about 16 digits and no trailing zeros, so ``10.50`` would be printed as 10.5, and two numbers that
differ in their 17th digit would be the same.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, Self

_FORMAT: Final[dict[str, Any]] = {"separators": (",", ":"), "allow_nan": False}


class WrittenNumber(float):
    """A number with a fraction or an exponent: a double to calculate with, the written text to print."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Read a number from the text of a JSON document."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        """Return the number as it was written."""
        return self.text

    @property
    def is_exact(self) -> bool:
        """Whether the double's shortest text names the same number. Raises ArithmeticError for a vast exponent."""
        return Decimal(float.__repr__(self)) == Decimal(self.text)


def read_json(text: str | bytes, **options: Any) -> Any:  # noqa: ANN401 - JSON, and json.loads's own options
    """Return what a JSON text says; raises ValueError or RecursionError."""
    return json.loads(text, parse_float=WrittenNumber, **options)


def write_json(value: object) -> str:
    """Return the canonical JSON of a value: members sorted, numbers as they were written. Raises ValueError."""
    if next(_written_numbers(value), None) is None:
        return json.dumps(value, sort_keys=True, **_FORMAT)
    return _written(value)


def by_value(value: object) -> str:
    """Return a text that two values share only if they are equal, numbers compared exactly and not as written.

    Raises ValueError or ArithmeticError.
    """
    text = json.dumps(value, sort_keys=True, **_FORMAT)
    beyond = [
        format(Decimal(one.text).normalize(), "E") for one in _written_numbers(value) if not one.is_exact
    ]
    return "\n".join([text, *beyond])


def _written(value: object) -> str:
    match value:
        case dict():
            members = (f"{json.dumps(name)}:{_written(one)}" for name, one in sorted(value.items()))
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(map(_written, value)) + "]"
        case WrittenNumber():
            return value.text
        case _:
            return json.dumps(value, **_FORMAT)


def _written_numbers(value: object) -> Iterator[WrittenNumber]:
    """Yield the numbers of a document in the order of its canonical form."""
    match value:
        case dict():
            for _, one in sorted(value.items()):
                yield from _written_numbers(one)
        case list():
            for one in value:
                yield from _written_numbers(one)
        case WrittenNumber():
            yield value
        case _:
            return
