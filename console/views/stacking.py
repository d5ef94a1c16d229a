"""A table that crops no number: where it does not fit, each row becomes a block of names and values."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

# A longer word in a column of prose, such as a path, may be broken: no terminal has room for every one.
_LONGEST_WORD: Final = 20
# A column of prose narrower than this reads badly, whatever its words.
_NARROWEST_PROSE: Final = 16


class StackingTable(Table):
    """A table whose columns keep their full width, or whose rows are stacked."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render as a table if every column has the room that it needs, else as blocks."""
        if self._needed_width(console, options) <= options.max_width:
            yield from super().__rich_console__(console, options)
        else:
            yield from self._blocks()

    def _needed_width(self, console: Console, options: ConsoleOptions) -> int:
        unbounded = options.update(max_width=10_000)
        widths = (self._needed_by(console, unbounded, column) for column in self.columns)
        padding = sum(self._get_padding_width(index) for index, _ in enumerate(self.columns))
        return sum(widths) + padding

    def _needed_by(self, console: Console, options: ConsoleOptions, column: Column) -> int:
        cells = [column.header, *column.cells]
        sizes = [Measurement.get(console, options, cell) for cell in cells]
        widest = max(size.maximum for size in sizes)
        if column.no_wrap:
            return widest
        longest_word = min(max(size.minimum for size in sizes), _LONGEST_WORD)
        return min(widest, max(longest_word, _NARROWEST_PROSE))

    def _blocks(self) -> Iterator[RenderableType]:
        if self.title:
            yield Text(str(self.title), style="bold")
        names = [str(column.header) for column in self.columns]
        for cells in zip_longest(*(column.cells for column in self.columns), fillvalue=""):
            yield from (_line(name, cell) for name, cell in zip(names, cells, strict=True) if str(cell))
            yield Text("")


def _line(name: str, cell: RenderableType) -> Text:
    value = cell.copy() if isinstance(cell, Text) else Text(str(cell).strip())
    label = Text(f"{name}: " if name else "", style="dim")
    line = label + value
    line.overflow = "fold"
    return line
