"""What all messages on the wire share: camelCase, unknown members ignored, null read as absent."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

T = TypeVar("T")
Shape = TypeVar("Shape", bound=BaseModel)

_WHEN = TypeAdapter(datetime)
# The keys of these maps are names of the vendor's vocabulary, such as "Normal", and stay as they are.
_NAMED = frozenset({"productionSpeeds", "productionSpeedPrices", "postageTypePrices"})
# .NET's DateTime.MinValue is how such services write "no date".
_NO_DATE_YEAR = 1
# RFC 3339 allows second 60, which Python refuses. The second after it is the same instant.
_LEAP_SECOND = re.compile(r"(T\d\d:\d\d:)60(?:\.\d+)?", re.IGNORECASE)


class Sent(BaseModel):
    """What we send: nothing that the vendor did not name."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
    )


class Received(BaseModel):
    """What the vendor sends: unknown members ignored, numbers taken where text was promised."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
    )


def _moment(value: Any) -> datetime | None:  # noqa: ANN401 - whatever JSON holds
    try:
        found = _instant(value)
    except (ValidationError, OverflowError):
        return None
    if found.year <= _NO_DATE_YEAR:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _instant(value: Any) -> datetime:  # noqa: ANN401 - as above
    leap = _LEAP_SECOND.search(value) if isinstance(value, str) else None
    if leap is None:
        return _WHEN.validate_python(value)
    return _WHEN.validate_python(_LEAP_SECOND.sub(r"\g<1>59", value)) + timedelta(seconds=1)


def _or_empty(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    return () if value is None else value


def _or_zero(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    return 0 if value is None else value


Id: TypeAlias = Annotated[int, Field(gt=0, lt=2**63)]
"""An identifier of the vendor's; 0 is what such services write for none, so it is not one."""

Count: TypeAlias = Annotated[int, BeforeValidator(_or_zero), Field(ge=0, lt=2**63)]

Money: TypeAlias = Annotated[Decimal, Field(gt=-(10**12), lt=10**12)] | None
"""Exactly the digits of the JSON text; null is an amount that the vendor does not state, and never zero."""

Tally: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)] | None
"""A number of pieces that is paid for; null is a number that the vendor does not state, and never zero."""

When: TypeAlias = Annotated[datetime | None, BeforeValidator(_moment)]
"""An aware moment; a zone the vendor leaves out is taken as UTC, a date that cannot be read as none."""

Several: TypeAlias = Annotated[tuple[T, ...], BeforeValidator(_or_empty)]
"""A list that may be left out: nothing depends on how long it is."""

Listed: TypeAlias = tuple[T, ...]
"""The list that a caller asked for. If it is absent or null, the answer is unreadable, not empty."""


def read_as(shape: type[Shape], payload: Any) -> Shape:  # noqa: ANN401 - whatever JSON holds
    """Read a payload as a model, its members in camelCase or PascalCase. Raises ValueError."""
    return shape.model_validate(in_camel_case(payload))


def in_camel_case(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a value with its members in camelCase; a value without PascalCase members as it is."""
    return _renamed(value) if _has_pascal_case(value) else value


def _has_pascal_case(value: Any) -> bool:  # noqa: ANN401 - as above
    # The rows of one list are written alike, so the first row speaks for all.
    if isinstance(value, list):
        return bool(value) and _has_pascal_case(value[0])
    if not isinstance(value, dict):
        return False
    return any(
        key[:1].isupper() or (key not in _NAMED and _has_pascal_case(one)) for key, one in value.items()
    )


def _renamed(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, list):
        return [_renamed(one) for one in value]
    if not isinstance(value, dict):
        return value
    members = {_camel(key): one if _camel(key) in _NAMED else _renamed(one) for key, one in value.items()}
    return members | {key: one for key, one in value.items() if key in _NAMED}


def _camel(key: str) -> str:
    return key.lower() if key.isupper() else key[:1].lower() + key[1:]
