"""Plain rows, a block at a time: those that `intake.recipients.validator` would let through just as they stand.

Most rows of a list are plain, and what is asked of all of them at once, column by column, costs less than half
of what it costs row by row. This only recognizes them: about every other row, and every reason, the gate decides.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, compress, repeat
from typing import Final, NamedTuple, TypeAlias

from intake.csv.columns import Columns
from intake.recipients.cell_text import SUSPECTS, has_letter
from intake.recipients.digests import IdentityColumns, of_recipients
from intake.recipients.fields import MERGE_FIELDS, URL_FIELDS, Field
from intake.recipients.rows import RecipientRow, as_jsonb, encode
from intake.recipients.strictness import Strictness
from intake.recipients.us_states import is_domestic, state_code
from intake.recipients.validator import (
    LONGEST_CELL,
    LONGEST_MERGE,
    RecipientDraft,
    is_web_address,
    normalize_zip,
    split_full_name,
)

Column: TypeAlias = Sequence[str]

_PRINTABLE: Final = bytes(range(32, 127)) + b"\n"
_REPLACED: Final = "\ufffd"
# What the gate unwraps, and the errors of formulas. To look for a text is faster than for a pattern.
_WRAPPED: Final = ("\n'", "\n\u2018", "\n\u2019", '\n="')
_SHEET_ERROR: Final = re.compile(r"\n#[A-Z]")


class _DraftColumns(NamedTuple):
    """The columns of an `Entry`, one after the other; a field without a column is an empty one."""

    first_name: Column
    last_name: Column
    full_name: Column
    organization: Column
    salutation: Column
    address1: Column
    address2: Column
    city: Column
    state: Column
    zip_code: Column
    zip4: Column
    country: Column
    email: Column
    phone: Column
    customer_id: Column


class FastPath:
    """Finds the plain rows of a table's blocks, and makes of each whom it mails."""

    def __init__(self, columns: Columns, key: bytes, strictness: Strictness) -> None:
        """Say what the columns mean, under which key people are known, and how sure an address must look."""
        at = columns.positions
        self._entry = [at.get(Field(name)) for name in RecipientDraft._fields]
        self._merge = [(field, at[field]) for field in MERGE_FIELDS if field in at]
        self._width = columns.width
        self._key = key
        self._looks = strictness is Strictness.NORMAL

    def find(self, numbers: Sequence[int], rows: Sequence[list[str]]) -> list[RecipientRow | None]:
        """Return of each row whom it mails, or None if it is not plain."""
        if not self._looks:
            return [None] * len(rows)
        if self._all_tidy(rows):
            return self._found(numbers, rows)
        tidy = [self._all_tidy([row]) for row in rows]
        found = iter(self._found(list(compress(numbers, tidy)), list(compress(rows, tidy))))
        return [next(found) if one else None for one in tidy]

    def _all_tidy(self, rows: Sequence[list[str]]) -> bool:
        """Tell whether each cell of rows is printable and has single spaces, between words only."""
        text = "\n".join(chain.from_iterable(rows))
        if set(map(len, rows)) != {self._width} or text.count("\n") >= len(rows) * self._width:
            return False
        if "  " in text or "\n " in text or " \n" in text or text[:1] == " " or text[-1:] == " ":
            return False
        lines = f"\n{text}"
        if any(mark in lines for mark in _WRAPPED) or ("\n#" in lines and _SHEET_ERROR.search(lines)):
            return False
        beyond_ascii = text.encode().translate(None, _PRINTABLE).decode()
        return (
            beyond_ascii.isprintable() and _REPLACED not in beyond_ascii and SUSPECTS.isdisjoint(beyond_ascii)
        )

    def _found(self, numbers: Sequence[int], rows: Sequence[list[str]]) -> list[RecipientRow | None]:
        if not rows:
            return []
        columns = list(zip(*rows, strict=True))
        nothing = ("",) * len(rows)
        cells = _with_names_split(
            _DraftColumns._make(nothing if at is None else columns[at] for at in self._entry)
        )
        states = list(map(state_code, cells.state))
        zip_codes = [code for code, _ in map(normalize_zip, cells.zip_code, cells.zip4, states)]
        merge = [(field, columns[at]) for field, at in self._merge]
        fit = _fit(cells, states, zip_codes, merge)
        people = self._columns(numbers, cells, states, zip_codes, merge)
        return [one if well else None for one, well in zip(people, fit, strict=True)]

    def _columns(
        self,
        numbers: Sequence[int],
        cells: _DraftColumns,
        states: Sequence[str | None],
        zip_codes: Column,
        merge: Sequence[tuple[Field, Column]],
    ) -> Iterable[RecipientRow]:
        known = IdentityColumns(
            cells.first_name,
            cells.last_name,
            cells.organization,
            cells.address1,
            cells.address2,
            zip_codes,
            cells.email,
            cells.customer_id,
        )
        return zip(
            numbers,
            *of_recipients(known, self._key),
            _or_none(cells.first_name),
            _or_none(cells.last_name),
            _or_none(cells.organization),
            _or_none(cells.salutation),
            cells.address1,
            _or_none(cells.address2),
            cells.city,
            states,
            zip_codes,
            repeat("US", len(numbers)),
            _or_none(cells.email),
            _or_none(cells.phone),
            _or_none(cells.customer_id),
            _merged(merge, len(numbers)),
            strict=True,
        )


def _with_names_split(cells: _DraftColumns) -> _DraftColumns:
    if not any(cells.full_name):
        return cells
    return _DraftColumns._make(
        zip(*map(split_full_name, map(RecipientDraft._make, zip(*cells, strict=True))), strict=True)
    )


def _fit(
    cells: _DraftColumns,
    states: Sequence[str | None],
    zip_codes: Column,
    merge: Sequence[tuple[Field, Column]],
) -> Iterable[bool]:
    """Tell of each row whether the gate would let it through; what no row can fail in is not looked at row by row."""
    called = [
        first or last or organization
        for first, last, organization in zip(
            cells.first_name, cells.last_name, cells.organization, strict=True
        )
    ]
    needed: list[Iterable[object]] = [cells.address1, cells.city, states, zip_codes, called]
    needed += [
        [not name or has_letter(name) for name in names]
        for names in (cells.first_name, cells.last_name, cells.organization)
        if (initials := "".join([name[:1] for name in names])) and not initials.isalpha()
    ]
    if any(cells.country):
        needed.append(map(is_domestic, cells.country))
    if max(map(len, chain.from_iterable(filter(any, cells))), default=0) > LONGEST_CELL:
        needed.append(max(map(len, of_row)) <= LONGEST_CELL for of_row in zip(*cells, strict=True))
    for field, column in merge:
        if max(map(len, column)) > LONGEST_MERGE:
            needed.append(len(cell) <= LONGEST_MERGE for cell in column)
        if field in URL_FIELDS:
            needed.append(not cell or is_web_address(cell) for cell in column)
    return map(all, zip(*needed, strict=True))


def _or_none(column: Column) -> list[str | None]:
    return [cell or None for cell in column]


def _merged(merge: Sequence[tuple[Field, Column]], rows: int) -> Iterable[bytes]:
    """Return the merge fields of each row as `intake.recipients.rows.as_jsonb` does, but for empty ones."""
    if not merge:
        return repeat(as_jsonb({}), rows)
    members = zip(*(_members(field, column) for field, column in merge), strict=True)
    return [b"\x01{%b}" % ", ".join(filter(None, of_row)).encode() for of_row in members]


def _members(field: Field, column: Column) -> list[str]:
    name = encode(field.value)
    return [f"{name}: {encode(cell)}" if cell else "" for cell in column]
