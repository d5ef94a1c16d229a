"""A table as a spreadsheet writes it: CSV in any of its encodings and delimiters, read as a stream.

Memory stays bounded whatever the file holds: a line, a cell and the lines of one quoted row all have a limit, and
a quote that is never closed is reported with the line that opened it instead of swallowing the rows after it.
"""

import csv
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

from intake.encoding import survey
from intake.faults import Fault, TableError

DELIMITERS: Final = (",", ";", "\t", "|")

_LONGEST_LINE: Final = 262_144
"""Characters. A row of 20 cells as full as a spreadsheet allows would still be refused; no address list has one."""
_MOST_LINES_IN_A_ROW: Final = 100
"""A quoted cell may hold a letter's text, not a hundred lines: that is a quote somebody forgot to close."""
_SAMPLE_CHARACTERS: Final = 65_536
_SAMPLE_ROWS: Final = 25
_LINE_BREAK: Final = re.compile(r"\r\n?|\n")


class Row(NamedTuple):
    """One row: its number as a spreadsheet shows it, the file's line it starts on, and its cells."""

    number: int
    line: int
    cells: list[str]


@dataclass(slots=True)
class Table:
    """A table opened for reading. Close it, or use it in a `with` statement.

    `encoding` is a Python codec's name, `sha256` the digest of the file's bytes.
    """

    name: str
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    sha256: bytes
    _file: BinaryIO = field(repr=False)

    @classmethod
    def open(cls, source: Path | BinaryIO, name: str | None = None) -> Self:
        """Open a path, or a binary stream, which is then the table's to close.

        A stream that cannot be read twice is copied to a temporary file.

        Raises TableError when there is no such file, or it is not a table.
        """
        name = name or (source.name if isinstance(source, Path) else "the uploaded list")
        file = _opened(source) if isinstance(source, Path) else source
        try:
            file = file if file.seekable() else _spooled(file)
            found = survey(file, name)
            delimiter = _delimiter(_sample(file, found.encoding))
            table = cls(name, found.encoding, delimiter, (), found.sha256, file)
            table.headings = table._read_headings()
        except BaseException:
            file.close()
            raise
        return table

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the headings, from the first on each call; rows of empty cells are passed over.

        A row has at least as many cells as there are headings. Raises TableError at a quote that is never closed,
        at an endless line, and when there is no row.
        """
        records = self._records()
        next(records)
        row = None
        for row in records:
            yield row
        if row is None:
            raise TableError(
                Fault.NO_ROWS, f"{self.name} has headings but no rows: add the people to mail below them."
            )

    def _read_headings(self) -> tuple[str, ...]:
        first = next(self._records(), None)
        if first is None:
            raise TableError(Fault.EMPTY_FILE, f"{self.name} has no rows: save the list as CSV again.")
        cells = [" ".join(cell.split()) for cell in first.cells]
        while not cells[-1]:
            cells.pop()
        return tuple(cells)

    def _fit(self, cells: list[str]) -> bool:
        """Give a row as many cells as there are headings; return False if it had fewer, or has more."""
        width = len(self.headings)
        missing = width - len(cells)
        while len(cells) > width and not cells[-1]:
            cells.pop()
        cells.extend([""] * missing)
        return missing <= 0 and len(cells) == width

    def _records(self) -> Iterator[Row]:
        """Yield the rows with something in them, the headings first."""
        self._file.seek(0)
        text = _decoded(self._file, self.encoding)
        lines = _Lines(text, self.name, self.delimiter)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True, skipinitialspace=True)
        number = 0
        try:
            for cells in reader:
                number += 1
                start = reader.line_num - len(lines.pending) + 1
                if start == 1 and lines.pending[0][:4].lower() == "sep=":
                    number = 0
                elif cells and (cells[0].strip() or "".join(cells).strip()):
                    if self.headings and not self._fit(cells) and len(lines.pending) > 1:
                        raise lines.spread_out()
                    yield Row(number, start, cells)
                lines.pending.clear()
        except csv.Error as error:
            raise lines.refusal() from error
        finally:
            # An error may keep a reader that has not finished alive until after the table is closed.
            if not self._file.closed:
                text.detach()


@dataclass(slots=True)
class _Lines:
    """Hands a reader its lines and remembers those of the row it is in."""

    text: io.TextIOWrapper
    name: str
    delimiter: str
    line: int = 0
    pending: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        for line in iter(partial(self.text.readline, _LONGEST_LINE), ""):
            self.line += 1
            self.pending.append(line)
            if len(line) == _LONGEST_LINE and line[-1] not in "\r\n":
                raise self._too_long(self.line, "the line")
            if len(self.pending) > _MOST_LINES_IN_A_ROW:
                raise self.refusal()
            yield line

    def refusal(self) -> TableError:
        """Say what is wrong with the row in which the reader gave up, and on which line it begins."""
        text, first = "".join(self.pending), self.line - len(self.pending) + 1
        at = _open_quote(text, self.delimiter)
        if at is None:
            return self._too_long(first, "a cell")
        return TableError(
            Fault.OPEN_QUOTE,
            f"{self.name}, line {first + _line_breaks(text, at)}: a quote is opened here and never closed, or "
            "closed in the middle of a cell: close it, or write it twice where it belongs to the text.",
        )

    def spread_out(self) -> TableError:
        """Say that a row over several lines has too few or too many cells: its quotes joined what they should not."""
        first = self.line - len(self.pending) + 1
        return TableError(
            Fault.OPEN_QUOTE,
            f"{self.name}, lines {first} to {self.line}: a quote joins these lines into one row that does not have "
            "the table's columns: look for a quote too many or too few.",
        )

    def _too_long(self, line: int, what: str) -> TableError:
        return TableError(
            Fault.LINE_TOO_LONG,
            f"{self.name}, line {line}: {what} is too long for a table of people: "
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


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        fault, sentence = Fault.MISSING_FILE, f"There is no file {path}: check the name and the folder."
    except IsADirectoryError:
        fault, sentence = Fault.NOT_A_FILE, f"{path} is a folder: name the CSV file in it."
    except OSError as error:
        fault, sentence = Fault.UNREADABLE_FILE, f"{path} cannot be read: {error.strerror}."
    raise TableError(fault, sentence)


def _spooled(stream: BinaryIO) -> BinaryIO:
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the table closes it
    shutil.copyfileobj(stream, copy)
    return copy


def _decoded(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    # A byte that Windows-1252 does not know becomes U+FFFD, for which its row is rejected, not the file.
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


def _sample(file: BinaryIO, encoding: str) -> str:
    file.seek(0)
    text = _decoded(file, encoding)
    try:
        return text.read(_SAMPLE_CHARACTERS)
    finally:
        text.detach()


def _delimiter(sample: str) -> str:
    """Return the delimiter that cuts the first rows into the most columns, alike in as many rows as possible."""
    if sample[:4].lower() == "sep=" and sample[4:5] in DELIMITERS:
        return sample[4]
    return max(DELIMITERS, key=lambda delimiter: _agreement(sample, delimiter))


def _agreement(sample: str, delimiter: str) -> tuple[bool, int, int]:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True)
    widths = []
    try:
        widths = [len(cells) for cells in islice(reader, _SAMPLE_ROWS) if cells]
    except csv.Error:
        return False, 0, 0
    width = widths[0] if widths else 0
    return width > 1, widths.count(width), width
