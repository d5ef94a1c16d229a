"""Rows of a list that must be arranged before they are read: which address counts, and what one cell joins.

A layout adds columns behind those of the list. The list's own cells stay as they are, for the rejected rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from intake.csv.one_cell_address import split_address
from intake.csv.records import Block
from intake.recipients.fields import Field

_JOINED = (Field.FULL_ADDRESS, Field.SUFFIX)
_SPLIT = (Field.ADDRESS1, Field.ADDRESS2, Field.CITY, Field.STATE, Field.ZIP_CODE, Field.COUNTRY)


class Arranged(NamedTuple):
    """The rows of a block that are people's, their cells with the added ones, and how many rows were passed over."""

    block: Block
    cells: list[list[str]]
    further: int = 0


@dataclass(slots=True)
class Layout:
    """Arranges rows: `groups` are the addresses of a row, the preferred first; `order` is the order number's column.

    A row that repeats the order number of the row above, and has no other address, is a further line of that order.
    """

    groups: Sequence[Mapping[Field, int]]
    width: int
    order: int | None = None
    fields: tuple[Field, ...] = field(init=False)
    _last: tuple[str, tuple[str, ...]] = field(default=("", ()), init=False, repr=False)

    def __post_init__(self) -> None:
        """Decide which columns are added."""
        found = dict.fromkeys(one for group in self.groups for one in group)
        if Field.FULL_ADDRESS in found:
            found |= dict.fromkeys(_SPLIT)
        plain = len(self.groups) == 1 and not any(one in found for one in _JOINED)
        self.fields = () if plain else tuple(one for one in found if one not in _JOINED)

    def begin(self) -> None:
        """Forget the row above: the list is read from its first row again."""
        self._last = ("", ())

    def arrange(self, block: Block) -> Arranged:
        """Return a block's rows arranged, without the further lines of an order."""
        cells = [self._cells(row) for row in block.cells]
        if self.order is None:
            return Arranged(block, cells)
        kept = [at for at, row in enumerate(block.cells) if not self._is_further(row)]
        if len(kept) == len(cells):
            return Arranged(block, cells)
        own = Block(
            [block.numbers[at] for at in kept],
            [block.lines[at] for at in kept],
            [block.cells[at] for at in kept],
        )
        return Arranged(own, [cells[at] for at in kept], len(cells) - len(kept))

    def _cells(self, row: list[str]) -> list[str]:
        if not self.fields:
            return row
        if len(row) > self.width:
            return [*row, *("" for _ in self.fields)]  # too many cells, whatever is added
        values = self._values(row, self._group(row))
        return [*row, *(values.get(one, "") for one in self.fields)]

    def _group(self, row: list[str]) -> Mapping[Field, int]:
        for group in self.groups:
            street = group.get(Field.ADDRESS1, group.get(Field.FULL_ADDRESS))
            if street is not None and row[street].strip():
                return group
        return self.groups[0]

    def _values(self, row: list[str], group: Mapping[Field, int]) -> dict[Field, str]:
        values = {one: row[at] for one, at in group.items()}
        whole = values.pop(Field.FULL_ADDRESS, "")
        if whole.strip() and not values.get(Field.ADDRESS1, "").strip():
            parts = split_address(whole)
            values |= {one: part for one, part in zip(_SPLIT, parts, strict=True) if part}
        suffix = values.pop(Field.SUFFIX, "").strip()
        if suffix and values.get(Field.LAST_NAME, "").strip():
            values[Field.LAST_NAME] = f"{values[Field.LAST_NAME].strip()} {suffix}"
        return values

    def _is_further(self, row: list[str]) -> bool:
        if self.order is None or len(row) > self.width:
            return False
        number = row[self.order].strip()
        place = tuple(row[at].strip() for at in self._group(row).values())
        before, place_before = self._last
        if number and number == before and (place == place_before or not self._has_street(row)):
            return True
        self._last = (number, place)
        return False

    def _has_street(self, row: list[str]) -> bool:
        streets = (group.get(Field.ADDRESS1, group.get(Field.FULL_ADDRESS)) for group in self.groups)
        return any(row[at].strip() for at in streets if at is not None)


Arrange = Callable[[Block], Arranged]
