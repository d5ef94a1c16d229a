"""Which column holds which field."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from intake.csv.address_columns import AddressColumns, Group
from intake.csv.column_checks import (
    LEAVE_OUT,
    Needs,
    letter,
    list_of,
    require_an_address,
    two_columns,
    unused_columns,
)
from intake.csv.layout import Arranged, Layout
from intake.csv.presets import Preset, order_column, preset_of
from intake.csv.records import Block
from intake.errors import ColumnsError, ErrorCode
from intake.recipients.fields import MERGE_FIELDS, Field, Meaning, field_for, heading_form, meaning_of
from intake.recipients.validator import RecipientDraft

ORIGIN_HEADING: Final = "Mailrun campaign"
"""The column that names the campaign whose rejected rows a list corrects."""

REASON_HEADINGS: Final = ("Row", "Reason", "What is wrong")
"""The columns that a rejected-rows file puts in front: sent again, it must not print them."""

Reader = Callable[[list[str]], tuple[RecipientDraft, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields of a table: `positions` from 0, those behind the headings being added by the `layout`.

    `left_out` are the headings of columns that go nowhere; `preset` is the known export with such headings;
    `sources` are the headings that stand for an added column.
    """

    headings: tuple[str, ...]
    positions: Mapping[Field, int]
    left_out: tuple[str, ...]
    preset: str | None = None
    layout: Layout | None = None
    sources: Mapping[Field, str] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Return how many cells an arranged row has."""
        return len(self.headings) + (len(self.layout.fields) if self.layout else 0)

    def heading(self, field: Field) -> str:
        """Return the heading of the column that holds a field."""
        return self.sources.get(field) or self.headings[self.positions[field]]

    def named(self) -> dict[str, str]:
        """Return the heading of each field there is a column for."""
        return {field.value: self.heading(field) for field in self.positions}

    @property
    def merge_fields(self) -> dict[str, str]:
        """Return the heading of each merge field there is a column for."""
        return {field.value: self.heading(field) for field in MERGE_FIELDS if field in self.positions}

    def arrange(self, block: Block) -> Arranged:
        """Return a block's rows as the fields' positions have them."""
        return self.layout.arrange(block) if self.layout else Arranged(block, block.cells)

    def reader(self) -> Reader:
        """Return a function that turns an arranged row's cells into an entry."""
        nowhere = self.width
        cells_of_entry = itemgetter(
            *(self.positions.get(Field(name), nowhere) for name in RecipientDraft._fields)
        )
        merge = [(field.value, self.positions[field]) for field in MERGE_FIELDS if field in self.positions]

        def read(cells: list[str]) -> tuple[RecipientDraft, dict[str, str]]:
            entry = RecipientDraft._make(cells_of_entry([*cells, ""]))
            return entry, {field: text for field, at in merge if (text := cells[at].strip())}

        return read


def match_columns(
    headings: Sequence[str],
    mapping: Mapping[str, str] | None = None,
    *,
    needs: Needs = require_an_address,
    strict: bool = False,
) -> Columns:
    """Match headings to fields: first as the mapping says (`{"Heading": "field"}` or `"ignore"`), then by meaning.

    A column that means nothing known is left out, or refused if `strict`.

    Raises ColumnsError when a mapping names what is not there, when two columns mean one field, or when `needs` does.
    """
    preset = preset_of(headings)
    told = _told(headings, mapping or {})
    meanings = _meanings(headings, told, preset)
    chosen = AddressColumns(headings, meanings, _one_column_each(headings, told), lenient=preset is not None)
    groups, common = chosen.groups(), chosen.common()
    found = {field: at for group in reversed(groups) for field, at in group.items()} | common
    needs(headings, found)
    if strict:
        _require_all_used(headings, meanings, told)
    return _columns(tuple(headings), groups, common, preset)


def _columns(headings: tuple[str, ...], groups: list[Group], common: Group, preset: Preset | None) -> Columns:
    order = order_column(headings, preset)
    arranged = Layout(groups, len(headings), order)
    layout = arranged if arranged.fields or order is not None else None
    used = {at for group in (*groups, common) for at in group.values()}
    added = arranged.fields
    positions = (groups[0] if not added else {}) | common
    positions |= {field: len(headings) + at for at, field in enumerate(added)}
    return Columns(
        headings=headings,
        positions=positions,
        left_out=tuple(heading or letter(at) for at, heading in enumerate(headings) if at not in used),
        preset=preset.name if preset else None,
        layout=layout,
        sources={field: _source(headings, groups, field) for field in added},
    )


def _source(headings: Sequence[str], groups: Sequence[Group], field: Field) -> str:
    columns = [group.get(field, group.get(Field.FULL_ADDRESS)) for group in groups]
    return " or ".join(dict.fromkeys(headings[at] for at in columns if at is not None))


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
            ErrorCode.UNKNOWN_COLUMN,
            f'The mapping names a column "{heading}" that the list does not have. {list_of(headings)}',
        )
    return columns


def _told_field(name: str) -> Field | None:
    if name.casefold() == LEAVE_OUT:
        return None
    field = field_for(name)
    if field is None:
        known = ", ".join(Field)
        raise ColumnsError(
            ErrorCode.UNKNOWN_FIELD,
            f'The mapping names a field "{name}"; there are {known}, and {LEAVE_OUT}.',
        )
    return field


def _meanings(
    headings: Sequence[str], told: Mapping[int, Field | None], preset: Preset | None
) -> list[tuple[int, Meaning]]:
    """Return what the columns mean that the mapping does not speak of, nor of their field."""
    spoken_for = {field for field in told.values() if field is not None}
    found = []
    for at, heading in enumerate(headings):
        meaning = _meaning(heading, preset)
        if meaning and at not in told and meaning.field not in spoken_for:
            found.append((at, meaning))
    return found


def _meaning(heading: str, preset: Preset | None) -> Meaning | None:
    form = heading_form(heading)
    if preset and form in preset.meanings:
        return preset.meanings[form]
    return meaning_of(heading)


def _one_column_each(headings: Sequence[str], told: Mapping[int, Field | None]) -> dict[Field, int]:
    columns: dict[Field, int] = {}
    for at, wanted in sorted(told.items()):
        if wanted is not None and wanted in columns:
            raise two_columns(headings, wanted, [columns[wanted], at])
        if wanted is not None:
            columns[wanted] = at
    return columns


def _require_all_used(
    headings: Sequence[str], meanings: Sequence[tuple[int, Meaning]], told: Mapping[int, Field | None]
) -> None:
    known = {at for at, _ in meanings} | set(told)
    unused = [at for at, heading in enumerate(headings) if heading and at not in known]
    if unused:
        raise unused_columns(headings, unused)
