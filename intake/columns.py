"""Which column holds which field."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from string import ascii_uppercase
from typing import Final

from intake.addresses import Entry
from intake.faults import ColumnsError, Fault
from intake.fields import (
    CUSTOM_FIELDS,
    MERGE_FIELDS,
    NAME_FIELDS,
    REQUIRED_FIELDS,
    Field,
    field_for,
    heading_form,
)

ORIGIN_HEADING: Final = "Mailrun campaign"
"""The column that names the campaign whose rejected rows a list corrects."""

REASON_HEADINGS: Final = ("Row", "Reason", "What is wrong")
"""The columns that a rejected-rows file puts in front: corrected and sent again, it must not print them."""

LEAVE_OUT: Final = "ignore"
"""What a mapping says instead of a field about a column nobody needs."""

_MOST_HEADINGS_TOLD: Final = 25
_LONGEST_HEADING_TOLD: Final = 40
_LOOKS_LIKE_A_PERSON: Final = re.compile(r"\d|.*@")

Reader = Callable[[list[str]], tuple[Entry, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields of a table: `positions` from 0, `customs` the unknown columns that became merge fields.

    `left_out` are the columns that go nowhere, because they were told to or no merge field was left.
    """

    headings: tuple[str, ...]
    positions: Mapping[Field, int]
    customs: tuple[tuple[str, Field], ...]
    left_out: tuple[str, ...]

    @property
    def origin(self) -> int | None:
        """Return the position of the column that names the campaign a corrected list comes from."""
        form = heading_form(ORIGIN_HEADING)
        return next((at for at, heading in enumerate(self.headings) if heading_form(heading) == form), None)

    def heading(self, field: Field) -> str:
        """Return the heading of the column that holds a field."""
        return self.headings[self.positions[field]]

    def named(self) -> dict[str, str]:
        """Return the heading of each field there is a column for."""
        return {field.value: self.heading(field) for field in self.positions}

    def reader(self) -> Reader:
        """Return a function that turns a row's cells, as many as there are headings, into an entry."""
        nowhere = len(self.headings)
        cells_of_entry = itemgetter(*(self.positions.get(Field(name), nowhere) for name in Entry._fields))
        merge = [(field.value, self.positions[field]) for field in MERGE_FIELDS if field in self.positions]

        def read(cells: list[str]) -> tuple[Entry, dict[str, str]]:
            entry = Entry._make(cells_of_entry([*cells, ""]))
            return entry, {field: text for field, at in merge if (text := cells[at].strip())}

        return read


Needs = Callable[[Sequence[str], Mapping[Field, int]], None]


def match_columns(
    headings: Sequence[str], mapping: Mapping[str, str] | None = None, *, needs: Needs | None = None
) -> Columns:
    """Match headings to fields, first as the mapping says (`{"Heading": "field"}` or `"ignore"`), then by synonyms.

    Columns that mean nothing known become custom1 to custom6 in their order, as far as those are free.

    Raises ColumnsError when a mapping names what is not there, when two columns mean one field, or when `needs` does,
    which by default asks for every part of an address and for a name.
    """
    told = _told(headings, mapping or {})
    meant = {**_understood(headings, told), **told}
    positions = _one_column_each(headings, meant)
    (needs or _require_an_address)(headings, positions)
    unknown = [at for at, heading in enumerate(headings) if at not in meant and heading]
    free = [field for field in CUSTOM_FIELDS if field not in positions]
    customs = list(zip(unknown, free, strict=False))
    positions.update({field: at for at, field in customs})
    used = set(positions.values())
    return Columns(
        headings=tuple(headings),
        positions=positions,
        customs=tuple((headings[at], field) for at, field in customs),
        left_out=tuple(heading or _letter(at) for at, heading in enumerate(headings) if at not in used),
    )


def _told(headings: Sequence[str], mapping: Mapping[str, str]) -> dict[int, Field | None]:
    ours = len(REASON_HEADINGS) if tuple(headings[: len(REASON_HEADINGS)]) == REASON_HEADINGS else 0
    told: dict[int, Field | None] = dict.fromkeys(range(ours))
    form = heading_form(ORIGIN_HEADING)
    told.update({at: None for at, heading in enumerate(headings) if heading_form(heading) == form})
    for heading, name in mapping.items():
        told.update(dict.fromkeys(_columns_called(heading, headings), _told_field(name)))
    return told


def _columns_called(heading: str, headings: Sequence[str]) -> list[int]:
    exact = [at for at, found in enumerate(headings) if found == heading]
    form = heading_form(heading)
    columns = exact or [at for at, found in enumerate(headings) if form and heading_form(found) == form]
    if not columns:
        raise ColumnsError(
            Fault.UNKNOWN_COLUMN,
            f'The mapping names a column "{heading}" that the list does not have. {_list_of(headings)}',
        )
    return columns


def _told_field(name: str) -> Field | None:
    if name == LEAVE_OUT:
        return None
    field = field_for(name)
    if field is None:
        known = ", ".join(Field)
        raise ColumnsError(
            Fault.UNKNOWN_FIELD, f'The mapping names a field "{name}"; there are {known}, and {LEAVE_OUT}.'
        )
    return field


def _understood(headings: Sequence[str], told: Mapping[int, Field | None]) -> dict[int, Field | None]:
    spoken_for = set(told.values())
    found: dict[int, Field | None] = {}
    for at, heading in enumerate(headings):
        field = field_for(heading)
        if field and at not in told and field not in spoken_for:
            found[at] = field
    # Beside a first or last name a column with the whole name adds nothing, nor should it be printed as custom text.
    if {Field.FIRST_NAME, Field.LAST_NAME} & {*found.values(), *spoken_for}:
        found = {at: None if field is Field.FULL_NAME else field for at, field in found.items()}
    return found


def _one_column_each(headings: Sequence[str], meant: Mapping[int, Field | None]) -> dict[Field, int]:
    columns: dict[Field, list[int]] = defaultdict(list)
    for at, field in sorted(meant.items()):
        if field is not None:
            columns[field].append(at)
    for field, several in columns.items():
        if len(several) > 1:
            names = " and ".join(f'"{headings[at]}" (column {_letter(at)})' for at in several)
            raise ColumnsError(
                Fault.TWO_COLUMNS_FOR_ONE_FIELD,
                f"More than one column means {field.value}: {names}. Rename one, or say in the mapping which it is.",
            )
    return {field: several[0] for field, several in columns.items()}


def _require_an_address(headings: Sequence[str], positions: Mapping[Field, int]) -> None:
    missing = [field.value for field in REQUIRED_FIELDS if field not in positions]
    nameless = not any(field in positions for field in NAME_FIELDS)
    if (missing or nameless) and _look_like_a_person(headings):
        raise ColumnsError(
            Fault.NO_HEADINGS,
            "The first row looks like a person, not like headings: put a row above it that says which column is "
            "what, such as First name, Last name, Address 1, City, State, ZIP.",
        )
    if missing:
        raise ColumnsError(
            Fault.NO_ADDRESS_COLUMNS, f"No column means {', '.join(missing)}. {_list_of(headings)}"
        )
    if nameless:
        raise ColumnsError(
            Fault.NO_NAME_COLUMN, f"No column means a name or an organization. {_list_of(headings)}"
        )


def require_a_mark(headings: Sequence[str], positions: Mapping[Field, int]) -> None:
    """Raise ColumnsError if no column says who somebody is: an address, an email address or a customer id."""
    has_address = Field.ADDRESS1 in positions and Field.ZIP_CODE in positions
    if has_address or Field.EMAIL in positions or Field.CUSTOMER_ID in positions:
        return
    if _look_like_a_person(headings):
        raise ColumnsError(
            Fault.NO_HEADINGS,
            "The first row looks like a person, not like headings: put a row above it that says which column is "
            "what, such as Name, Address, ZIP, Email.",
        )
    raise ColumnsError(
        Fault.NO_MARK_COLUMN,
        f"No column says who is not to be mailed: address with ZIP code, email or customer id. {_list_of(headings)}",
    )


def _look_like_a_person(headings: Sequence[str]) -> bool:
    return any(map(_LOOKS_LIKE_A_PERSON.match, headings))


def _list_of(headings: Sequence[str]) -> str:
    if _look_like_a_person(headings):
        return "Its first row does not look like headings."
    told = [f'"{heading[:_LONGEST_HEADING_TOLD]}"' for heading in headings if heading][:_MOST_HEADINGS_TOLD]
    return f"Its columns are {', '.join(told)}. Rename them, or say in the mapping which is which."


def _letter(at: int) -> str:
    """Return the name a spreadsheet gives a column: A to Z, AA and on."""
    return "".join(_letters(at))


def _letters(at: int) -> Iterator[str]:
    before, place = divmod(at, len(ascii_uppercase))
    if before:
        yield from _letters(before - 1)
    yield ascii_uppercase[place]
