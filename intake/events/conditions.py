"""Where a value stands in an event, and what is asked of it. Data to compare, never code to run."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Scalar = str | bool | int | float

_PATH: Final = re.compile(
    r"(?:id|source|type|subject|time|data(?:\.[\w$@-]{1,100}){0,20}|[a-z0-9]{1,40})", re.ASCII
)
_ABSENT: Final = object()


def _usable_path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError('a place in the event is written such as "data.customer.email" or "subject"')
    return text


Path = Annotated[str, AfterValidator(_usable_path)]


def value_at(event: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON
    """Return what stands at a path, None if nothing does; a number chooses from a list, beginning at 0."""
    found = _found(event, path)
    return None if found is _ABSENT else found


def _found(event: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON
    value: Any = event
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step, _ABSENT)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _ABSENT
    return value


class Condition(BaseModel):
    """What one value must be. Everything that is said must hold; a value that is absent holds nothing but absence."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False
    )

    equals: Scalar | None = Field(None, alias="is")
    differs: Scalar | None = Field(None, alias="is_not")
    one_of: list[Scalar] | None = Field(None, min_length=1)
    exists: bool | None = None
    above: int | float | None = None
    below: int | float | None = None
    at_least: int | float | None = None
    at_most: int | float | None = None
    begins_with: str | None = Field(None, min_length=1)
    contains: str | None = Field(None, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _a_bare_value_is_meant(cls, given: object) -> object:
        return {"is": given} if isinstance(given, Scalar) else given

    @model_validator(mode="after")
    def _asks_something(self) -> "Condition":
        if not self.model_fields_set:
            raise ValueError("says nothing that could be tested")
        return self

    def holds(self, event: Mapping[str, Any], path: str) -> bool:
        """Return whether the value at a path of an event is as it must be."""
        value = _found(event, path)
        there = value is not _ABSENT and value is not None
        if self.exists is not None and self.exists is not there:
            return False
        asked = {
            name: wanted for name in self.model_fields_set if (wanted := getattr(self, name)) is not None
        }
        return all(
            there and _TESTS[name](value, wanted) for name, wanted in asked.items() if name != "exists"
        )


def _same(value: object, wanted: object) -> bool:
    # For Python True is 1; for JSON it is not.
    return isinstance(value, bool) is isinstance(wanted, bool) and value == wanted


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _within(value: object, wanted: str) -> bool:
    return wanted in value if isinstance(value, str | list) else False


_TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "equals": _same,
    "differs": lambda value, wanted: not _same(value, wanted),
    "one_of": lambda value, wanted: any(_same(value, one) for one in wanted),
    "above": lambda value, wanted: _number(value) and value > wanted,
    "below": lambda value, wanted: _number(value) and value < wanted,
    "at_least": lambda value, wanted: _number(value) and value >= wanted,
    "at_most": lambda value, wanted: _number(value) and value <= wanted,
    "begins_with": lambda value, wanted: isinstance(value, str) and value.startswith(wanted),
    "contains": _within,
}
