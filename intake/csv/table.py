"""A table as a spreadsheet writes it: CSV in any of its encodings and delimiters, or a sheet of a workbook."""

import csv
import io
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Final, Self

from intake.csv.encoding import survey
from intake.csv.records import Block, Records, Row
from intake.csv.workbooks import is_archive, read_sheet
from intake.errors import ErrorCode, TableError
from intake.recipients.fields import heading_form, meaning_of

DELIMITERS: Final = (",", ";", "\t", "|")

_SAMPLE_CHARACTERS: Final = 65_536
_SAMPLE_ROWS: Final = 25
_MOST_ROWS_ABOVE: Final = 15
"""Rows with something in them that may stand above the headings: a report's title, its date, its filters."""
_FEWEST_HEADINGS: Final = 2


@dataclass(slots=True)
class Table:
    """A table opened for reading. Close it, or use it in a `with` statement.

    `encoding` is a Python codec's name, `sha256` the digest of the file's bytes, `sheet` the name of a workbook's.
    `above` is how many rows with something in them stand above the headings.
    """

    name: str
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    sha256: bytes
    _file: BinaryIO = field(repr=False)
    sheet: str | None = None
    above: int = 0

    @classmethod
    def open(
        cls,
        source: Path | BinaryIO,
        name: str | None = None,
        *,
        sheet: str | None = None,
        known: Collection[str] = (),
    ) -> Self:
        """Open a path, or a binary stream, which is then the table's to close.

        A stream that cannot be read twice is copied to a temporary file. `sheet` is the one to read of a workbook;
        `known` are headings that a mapping names, by which the row of headings is found too.

        Raises TableError when there is no such file, or it is not a table.
        """
        name = name or (source.name if isinstance(source, Path) else "the uploaded list")
        file = _opened(source) if isinstance(source, Path) else source
        try:
            file = file if file.seekable() else _spooled(file)
            file, sheet = _rows_of(file, name, sheet)
            found = survey(file, name)
            delimiter = "," if sheet else _delimiter(_sample(file, found.encoding))
            table = cls(name, found.encoding, delimiter, (), found.sha256, file, sheet)
            table._find_headings({heading_form(heading) for heading in known})
        except BaseException:
            file.close()
            raise
        return table

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the headings, as `blocks` does."""
        for block in self.blocks():
            yield from map(Row, *block)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows below the headings by the block, from the first on each call; empty rows are passed over.

        A row has at least as many cells as there are headings. Raises TableError at a quote that is never closed,
        at an endless line, and when there is no row.
        """
        rows, headings = 0, self.above + 1
        for block in self._blocks(len(self.headings)):
            below = Block(block.numbers[headings:], block.lines[headings:], block.cells[headings:])
            headings -= min(headings, len(block.numbers))
            rows += len(below.numbers)
            yield below
        if not rows:
            raise TableError(
                ErrorCode.NO_ROWS, f"{self.name} has headings but no rows: add the people to mail below them."
            )

    def _find_headings(self, known: Collection[str]) -> None:
        blocks = self._blocks(None)
        rows = list(islice(chain.from_iterable(block.cells for block in blocks), _MOST_ROWS_ABOVE + 1))
        if not rows:
            raise TableError(ErrorCode.EMPTY_FILE, f"{self.name} has no rows: save the list as CSV again.")
        understood = [_understood(row, known) for row in rows]
        best = understood.index(max(understood))
        self.above = best if understood[0] < _FEWEST_HEADINGS <= understood[best] else 0
        cells = [" ".join(cell.split()) for cell in rows[self.above]]
        while not cells[-1]:
            cells.pop()
        self.headings = tuple(cells)

    def _blocks(self, width: int | None) -> Iterator[Block]:
        """Yield the rows with something in them, the headings first."""
        self._file.seek(0)
        text = _decoded(self._file, self.encoding)
        try:
            yield from Records(text, self.name, self.delimiter, width).blocks()
        finally:
            # An error may keep a reader that has not finished alive until after the table is closed.
            if not self._file.closed:
                text.detach()


def _opened(path: Path) -> BinaryIO:
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind):
            return path.open("rb")
    except FileNotFoundError:
        raise TableError(
            ErrorCode.MISSING_FILE, f"There is no file {path}: check the name and the folder."
        ) from None
    except OSError as error:
        raise TableError(ErrorCode.UNREADABLE_FILE, f"{path} cannot be read: {error.strerror}.") from None
    if stat.S_ISDIR(kind):
        raise TableError(ErrorCode.NOT_A_FILE, f"{path} is a folder: name the list's file in it.")
    raise TableError(
        ErrorCode.NOT_A_FILE,
        f"{path} is a pipe or a device, not a file: name - and pipe the list to the command.",
    )


def _rows_of(file: BinaryIO, name: str, sheet: str | None) -> tuple[BinaryIO, str | None]:
    """Return the file, or of a workbook the rows of one sheet and its name."""
    file.seek(0)
    if is_archive(file.read(8)):
        found = read_sheet(file, name, sheet)
        file.close()
        return found.file, found.name
    if sheet is not None:
        raise TableError(
            ErrorCode.UNKNOWN_SHEET, f"{name} is no workbook and has no sheets: leave the sheet out."
        )
    return file, None


def _understood(row: Sequence[str], known: Collection[str]) -> int:
    """Return how many different headings a row has that mean a field, or that a mapping names."""
    forms = {heading_form(cell) for cell in row if cell}
    return sum(1 for form in forms if form and (form in known or meaning_of(form)))


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
    # A title above the headings is one cell wide: then the first wider row counts.
    width = next((width for width in widths if width > 1), 1)
    return width > 1, widths.count(width), width
