"""The records of a table's text by the block: most are read at once, and those that are not plain line by line.

Memory stays bounded whatever the text holds: a line, a cell and the lines of one quoted record all have a limit, and
a quote that is never closed is reported with the line that opened it instead of swallowing the records after it.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final, NamedTuple

from intake.errors import ErrorCode, TableError

_LONGEST_LINE: Final = 262_144
"""Characters. A row of 20 cells as full as a spreadsheet allows would still be refused; no address list has one."""
_MOST_LINES_IN_A_ROW: Final = 100
"""A quoted cell may hold a letter's text, not a hundred lines: that is a quote somebody forgot to close."""
_BLOCK_CHARACTERS: Final = 65_536
_END_OF_FILE: Final = "\x1a"
"""Ctrl-Z, with which programs of MS-DOS end a file."""
_LINE_BREAK: Final = re.compile(r"\r\n?|\n")


class Row(NamedTuple):
    """One row: its number as a spreadsheet shows it, the file's line it starts on, and its cells."""

    number: int
    line: int
    cells: list[str]


class Block(NamedTuple):
    """Rows that were read together: the number, the line and the cells of each, as a `Row` has them."""

    numbers: Sequence[int]
    lines: Sequence[int]
    cells: list[list[str]]

    def row(self, at: int) -> Row:
        """Return one of them."""
        return Row(self.numbers[at], self.lines[at], self.cells[at])


def block_of(rows: Iterable[Row]) -> Block:
    """Return a block of these rows."""
    kept = list(rows)
    return Block([row.number for row in kept], [row.line for row in kept], [row.cells for row in kept])


class Records:
    """Reads a text's records. `width` is how many columns there are, None as long as nobody knows."""

    def __init__(self, text: io.TextIOWrapper, name: str, delimiter: str, width: int | None) -> None:
        """Begin at the text's start; `name` is what the errors call it."""
        self._text = text
        self._name = name
        self._delimiter = delimiter
        self._width = width
        self._line = 0
        self._number = 0

    def blocks(self) -> Iterator[Block]:
        """Yield the records with something in them, each with `width` cells or more.

        Raises TableError at a quote that is never closed, and at an endless line.
        """
        while text := self._text.read(_BLOCK_CHARACTERS):
            if text[-1] != "\n":
                text += self._text.readline(_LONGEST_LINE)
            if text[-1] == _END_OF_FILE and not (text := text.rstrip(_END_OF_FILE)):
                return
            yield self._read_at_once(text) or self._read_by_line(text)

    def _read_at_once(self, text: str) -> Block | None:
        """Return a block in which each line is a record, or None if it is not such a block."""
        if len(text) > _LONGEST_LINE:
            return None
        reader = self._reader(io.StringIO(text, newline=""))
        try:
            records = list(reader)
        except csv.Error:
            return None
        if len(records) != reader.line_num:
            return None
        first = 0
        if self._line == 0 and text[:4].lower() == "sep=":
            first, self._number = 1, -1
        numbers = range(self._number + 1, self._number + 1 + len(records))
        lines = range(self._line + 1, self._line + 1 + len(records))
        self._number, self._line = numbers[-1], lines[-1]
        return self._kept(Block(numbers[first:], lines[first:], records[first:]))

    def _kept(self, block: Block) -> Block:
        """Return a block without its empty rows, the others as wide as the table."""
        if self._width is not None and set(map(len, block.cells)) != {self._width}:
            for cells in block.cells:
                self._fit(cells)
        if all(cells and cells[0].strip() for cells in block.cells):
            return block
        return block_of(Row(*row) for row in zip(*block, strict=True) if "".join(row[-1]).strip())

    def _fit(self, cells: list[str]) -> bool:
        """Give a row as many cells as there are columns; return False if it had fewer, or has more."""
        width = self._width
        if width is None or not cells:
            return True
        missing = width - len(cells)
        while len(cells) > width and not cells[-1]:
            cells.pop()
        cells.extend([""] * missing)
        return missing <= 0 and len(cells) == width

    def _read_by_line(self, text: str) -> Block:
        """Read a block that is not plain, and on to the end of the record that it breaks off in."""
        end = self._line + len(_LINE_BREAK.findall(text)) + (text[-1] not in "\r\n")
        further = iter(partial(self._text.readline, _LONGEST_LINE), "")
        lines = _Lines(chain(io.StringIO(text, newline=""), further), self._name, self._delimiter, self._line)
        rows: list[Row] = []
        try:
            for cells in self._reader(lines):
                self._take(cells, lines, rows)
                if lines.line >= end:
                    break
        except csv.Error as error:
            raise lines.refusal() from error
        self._line = lines.line
        return block_of(rows)

    def _take(self, cells: list[str], lines: "_Lines", rows: list[Row]) -> None:
        self._number += 1
        start = lines.line - len(lines.pending) + 1
        if start == 1 and lines.pending[0][:4].lower() == "sep=":
            self._number = 0
        elif cells and "".join(cells).strip():
            if not self._fit(cells) and len(lines.pending) > 1:
                raise lines.spread_out()
            rows.append(Row(self._number, start, cells))
        lines.pending.clear()

    def _reader(self, lines: Iterable[str]) -> Any:  # noqa: ANN401 - `csv` gives its reader no name
        return csv.reader(lines, delimiter=self._delimiter, strict=True, skipinitialspace=True)


class _Lines:
    """Hands a reader its lines and remembers those of the record it is in."""

    def __init__(self, lines: Iterator[str], name: str, delimiter: str, line: int) -> None:
        self.line = line
        self.pending: list[str] = []
        self._lines = lines
        self._name = name
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.line += 1
            self.pending.append(line)
            if len(line) > _LONGEST_LINE or (len(line) == _LONGEST_LINE and line[-1] not in "\r\n"):
                raise self._too_long(self.line, "the line")
            if len(self.pending) > _MOST_LINES_IN_A_ROW:
                raise self.refusal()
            yield line

    def refusal(self) -> TableError:
        """Say what is wrong with the record in which the reader gave up, and on which line it begins."""
        text, first = "".join(self.pending), self.line - len(self.pending) + 1
        at = _open_quote(text, self._delimiter)
        if at is None:
            return self._too_long(first, "a cell")
        return TableError(
            ErrorCode.OPEN_QUOTE,
            f"{self._name}, line {first + _line_breaks(text, at)}: a quote is opened here and never closed, or "
            "closed in the middle of a cell: close it, or write it twice where it belongs to the text.",
        )

    def spread_out(self) -> TableError:
        """Say that a row over several lines has too few or too many cells: its quotes joined what they should not."""
        first = self.line - len(self.pending) + 1
        return TableError(
            ErrorCode.OPEN_QUOTE,
            f"{self._name}, lines {first} to {self.line}: a quote joins these lines into one row that does not have "
            "the table's columns: look for a quote too many or too few.",
        )

    def _too_long(self, line: int, what: str) -> TableError:
        return TableError(
            ErrorCode.LINE_TOO_LONG,
            f"{self._name}, line {line}: {what} is too long for a table of people: "
            "check that the file is a CSV list with one person a row.",
        )


def _open_quote(text: str, delimiter: str) -> int | None:
    """Return where the first cell begins whose quotes do not add up."""
    mark = re.escape(delimiter)
    cell = re.compile(
        rf' *(?:"[^"]*(?:""[^"]*)*"(?=[{mark}\r\n]|\Z)|(?!")[^{mark}\r\n]*)(?:[{mark}\r\n]+|\Z)'
    )
    at = 0
    while at < len(text):
        match = cell.match(text, at)
        if match is None:
            return at
        at = match.end()
    return None


def _line_breaks(text: str, end: int) -> int:
    return len(_LINE_BREAK.findall(text, 0, end))
