"""What the columns of a list must have, and how a fault of theirs is told.

No message repeats what the first row holds if that row looks like a person.
"""

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Final

from intake.errors import ColumnsError, ErrorCode
from intake.recipients.fields import NAME_FIELDS, REQUIRED_FIELDS, Field, heading_form

Needs = Callable[[Sequence[str], Mapping[Field, object]], None]
"""Raises ColumnsError if a list with these headings and fields cannot be used."""

LEAVE_OUT: Final = "ignore"
"""What a mapping says of a column that is left out."""

_MOST_HEADINGS: Final = 25
_LONGEST_HEADING: Final = 40
_LOOKS_LIKE_A_PERSON: Final = re.compile(r"\d{3}|\d+ \w|.*@")
_HINTS: Final = {
    Field.ADDRESS1: "addr street line",
    Field.CITY: "city town place",
    Field.STATE: "state prov region",
    Field.ZIP_CODE: "zip post code",
    Field.FULL_NAME: "name contact customer person who",
    Field.EMAIL: "mail",
}


def require_an_address(headings: Sequence[str], positions: Mapping[Field, object]) -> None:
    """Raise ColumnsError unless there are a name and every part of an address."""
    missing = [field for field in REQUIRED_FIELDS if field not in positions]
    nameless = not any(field in positions for field in NAME_FIELDS)
    if missing and Field.FULL_ADDRESS not in positions:
        _require_headings(headings, "First name, Last name, Address 1, City, State, ZIP")
        names = ", ".join(missing)
        raise ColumnsError(
            ErrorCode.NO_ADDRESS_COLUMNS,
            f"No column means {names}. {_remedy(headings, missing[0], positions)}",
        )
    if nameless:
        _require_headings(headings, "First name, Last name, Address 1, City, State, ZIP")
        raise ColumnsError(
            ErrorCode.NO_NAME_COLUMN,
            f"No column means a name or an organization. {_remedy(headings, Field.FULL_NAME, positions)}",
        )


def require_a_mark(headings: Sequence[str], positions: Mapping[Field, object]) -> None:
    """Raise ColumnsError unless a column identifies people: address, email address or customer id."""
    has_address = Field.FULL_ADDRESS in positions or {Field.ADDRESS1, Field.ZIP_CODE} <= set(positions)
    if has_address or Field.EMAIL in positions or Field.CUSTOMER_ID in positions:
        return
    _require_headings(headings, "Name, Address, ZIP, Email")
    raise ColumnsError(
        ErrorCode.NO_MARK_COLUMN,
        "No column says who is not to be mailed: address with ZIP code, email or customer id. "
        f"{_remedy(headings, Field.EMAIL, positions)}",
    )


def two_columns(headings: Sequence[str], field: Field, columns: Sequence[int]) -> ColumnsError:
    """Return the error that several columns mean one field."""
    names = " and ".join(f'"{headings[at]}" (column {letter(at)})' for at in columns)
    other = headings[columns[-1]]
    example = f"{other}={LEAVE_OUT}"
    if len({heading_form(headings[at]) for at in columns}) == 1:
        return ColumnsError(
            ErrorCode.TWO_COLUMNS_FOR_ONE_FIELD,
            f"More than one column means {field.value}: {names}. Give one of them another heading.",
        )
    return ColumnsError(
        ErrorCode.TWO_COLUMNS_FOR_ONE_FIELD,
        f"More than one column means {field.value}: {names}. Leave one out: --mapping {shlex.quote(example)}",
    )


def unused_columns(headings: Sequence[str], unused: Sequence[int]) -> ColumnsError:
    """Return the error that a strict look found columns that mean nothing."""
    names = ", ".join(f'"{_short(headings[at])}"' for at in unused[:_MOST_HEADINGS])
    first = headings[unused[0]]
    return ColumnsError(
        ErrorCode.UNUSED_COLUMNS,
        f"Strict: no field is meant by {names}. For each of them add --mapping {shlex.quote(f'{first}=custom1')}, "
        f"or leave it out with --mapping {shlex.quote(f'{first}={LEAVE_OUT}')}",
    )


def looks_like_a_person(headings: Sequence[str]) -> bool:
    """Tell whether a row that should hold headings holds a person."""
    return any(map(_LOOKS_LIKE_A_PERSON.match, headings))


def list_of(headings: Sequence[str]) -> str:
    """Return a sentence with the headings that a list has."""
    if looks_like_a_person(headings):
        return "Its first row does not look like headings."
    named = [f'"{_short(heading)}"' for heading in headings if heading][:_MOST_HEADINGS]
    return f"Its columns are {', '.join(named)}."


def letter(at: int) -> str:
    """Return the name a spreadsheet gives a column: A to Z, AA and on."""
    return "".join(_letters(at))


def _require_headings(headings: Sequence[str], example: str) -> None:
    if looks_like_a_person(headings):
        raise ColumnsError(
            ErrorCode.NO_HEADINGS,
            "The first row looks like a person, not like headings: put a row above it that says which column is "
            f"what, such as {example}.",
        )


def _remedy(headings: Sequence[str], wanted: Field, positions: Collection[Field]) -> str:
    """Return the headings there are, and the mapping to type."""
    example = f"{_candidate(headings, wanted)}={wanted.value}"
    more = "" if positions or wanted is Field.EMAIL else ", and so on"
    return f"{list_of(headings)} Rename one, or add --mapping {shlex.quote(example)}{more}"


def _candidate(headings: Sequence[str], wanted: Field) -> str:
    """Return the heading that most probably means a field, or a word that stands for it."""
    if looks_like_a_person(headings):
        return "HEADING"
    hints = _HINTS.get(wanted, "").split()
    named = [heading for heading in headings if heading]
    return next((one for one in named if any(hint in heading_form(one) for hint in hints)), "HEADING")


def _short(heading: str) -> str:
    return heading[:_LONGEST_HEADING]


def _letters(at: int) -> Iterator[str]:
    before, place = divmod(at, len(ascii_uppercase))
    if before:
        yield from _letters(before - 1)
    yield ascii_uppercase[place]
