"""A table as a spreadsheet writes it: CSV in any of its encodings and delimiters, read as a stream."""

import csv
import io
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Self

from intake.encoding import survey
from intake.faults import Fault, TableError
from intake.records import Block, Records, Row

DELIMITERS: Final = (",", ";", "\t", "|")

_SAMPLE_CHARACTERS: Final = 65_536
_SAMPLE_ROWS: Final = 25


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
        """Yield the rows below the headings, as `blocks` does."""
        for block in self.blocks():
            yield from map(Row, *block)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows below the headings by the block, from the first on each call; empty rows are passed over.

        A row has at least as many cells as there are headings. Raises TableError at a quote that is never closed,
        at an endless line, and when there is no row.
        """
        rows, headings = 0, 1
        for block in self._blocks(len(self.headings)):
            below = Block(block.numbers[headings:], block.lines[headings:], block.cells[headings:])
            headings -= min(headings, len(block.numbers))
            rows += len(below.numbers)
            yield below
        if not rows:
            raise TableError(
                Fault.NO_ROWS, f"{self.name} has headings but no rows: add the people to mail below them."
            )

    def _read_headings(self) -> tuple[str, ...]:
        first = next((block.cells[0] for block in self._blocks(None) if block.cells), None)
        if first is None:
            raise TableError(Fault.EMPTY_FILE, f"{self.name} has no rows: save the list as CSV again.")
        cells = [" ".join(cell.split()) for cell in first]
        while not cells[-1]:
            cells.pop()
        return tuple(cells)

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
