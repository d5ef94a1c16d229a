"""The manners common to everything on the wire: camelCase, unknown members ignored, null as absent."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

T = TypeVar("T")

_WHEN = TypeAdapter(datetime)
# .NET's DateTime.MinValue is how such services write "no date".
_NO_DATE_YEAR = 1


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
        found = _WHEN.validate_python(value)
    except ValidationError:
        return None
    if found.year <= _NO_DATE_YEAR:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _or_empty(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    return () if value is None else value


def _or_zero(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    return 0 if value is None else value


Id: TypeAlias = Annotated[int, Field(gt=0, lt=2**63)]
"""An identifier of the vendor's; 0 is what such services write for none, so it is not one."""

Count: TypeAlias = Annotated[int, BeforeValidator(_or_zero), Field(ge=0, lt=2**63)]

Money: TypeAlias = Annotated[Decimal, BeforeValidator(_or_zero), Field(gt=-(10**12), lt=10**12)]
"""Exactly the digits of the JSON text. The vendor states neither currency nor rounding."""

When: TypeAlias = Annotated[datetime | None, BeforeValidator(_moment)]
"""An aware moment; a zone the vendor leaves out is taken as UTC, a date that cannot be read as none."""

Several: TypeAlias = Annotated[tuple[T, ...], BeforeValidator(_or_empty)]
