"""Looking a list over: what a campaign would find in it, without sending or keeping anything."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from intake.csv.columns import Columns, match_columns
from intake.csv.importer import ImportedBlock, RejectedRow, people
from intake.csv.merge_samples import Samples
from intake.csv.rejected_rows import RejectedRows
from intake.csv.table import Table
from intake.reasons import NOT_TO_CORRECT, ReasonCode
from intake.recipients.rows import RecipientRow
from intake.recipients.strictness import Strictness

Source: TypeAlias = Path | BinaryIO
Progress: TypeAlias = Callable[[int], None]
"""Told every so often how many rows were read so far."""

_FIRST_REJECTED: Final = 20


@dataclass(slots=True)
class RowCounts:
    """Counts rows on their way. A row with several reasons counts under its first.

    `further` are further lines of an order, which count neither as people nor as rejected.
    """

    rows: int = 0
    people: int = 0
    further: int = 0
    reasons: Counter[ReasonCode] = field(default_factory=Counter)
    first_rejected: list[tuple[int, str]] = field(default_factory=list, repr=False)

    @property
    def rejected(self) -> int:
        """How many rows are not mailed."""
        return self.rows - self.people

    @property
    def correctable(self) -> int:
        """How many rejected rows are worth a correction: they are what the file of rejected rows holds."""
        return sum(number for code, number in self.reasons.items() if code not in NOT_TO_CORRECT)

    def count(self, found: ImportedBlock) -> None:
        """Count the rows of a block."""
        self.rows += len(found.people) + len(found.rejected)
        self.people += len(found.people)
        self.further += found.further
        self._note(found.rejected)

    def leave_out(self, rejected: Sequence[RejectedRow]) -> None:
        """Count people as rejected who were counted as people before."""
        self.people -= len(rejected)
        self._note(rejected)

    def _note(self, rejected: Sequence[RejectedRow]) -> None:
        self.reasons.update(one.reasons[0].code for one in rejected)
        for one in rejected[: _FIRST_REJECTED - len(self.first_rejected)]:
            self.first_rejected.append((one.row.number, one.reasons[0].sentence))


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What a list holds: how it was read, its columns, and how many of its rows can be mailed and why not."""

    name: str
    encoding: str
    delimiter: str
    columns: Columns
    tally: RowCounts
    samples: Samples = field(default_factory=Samples)
    sheet: str | None = None
    above: int = 0


def check_campaign(
    source: Source,
    *,
    name: str | None = None,
    sheet: str | None = None,
    mapping: Mapping[str, str] | None = None,
    find_mapping: Callable[[Sequence[str]], Mapping[str, str] | None] = lambda _: None,
    strictness: Strictness = Strictness.NORMAL,
    key: bytes = b"",
    see: Callable[[Sequence[RecipientRow]], None] = lambda _: None,
    rejected_to: Path | None = None,
    progress: Progress = lambda _: None,
) -> ImportPreview:
    """Read a list to its end and return what is in it; needs no database.

    `see` is shown the people by the block, whose digests are under `key`.
    Without `mapping`, `find_mapping` is asked for one by the headings. The rejected rows are written to
    `rejected_to`, if given and if there are any. Raises TableError, ColumnsError.
    """
    tally = RowCounts()
    with Table.open(source, name, sheet=sheet, known=mapping or ()) as table:
        told = find_mapping(table.headings) if mapping is None else mapping
        columns = match_columns(table.headings, told, strict=strictness is Strictness.STRICT)
        samples = Samples(columns.merge_fields)
        with rejected_rows(rejected_to, table) as rejected:
            found = people(table, columns, key, strictness)
            for block in counted(found, tally, rejected, progress):
                samples.take(block.people)
                see(block.people)
        return ImportPreview(
            name=table.name,
            encoding=table.encoding,
            delimiter=table.delimiter,
            columns=columns,
            tally=tally,
            samples=samples,
            sheet=table.sheet,
            above=table.above,
        )


def rejected_rows(
    path: Path | None, table: Table, origin: str = ""
) -> AbstractContextManager[RejectedRows | None]:
    """Return a writer of a table's rejected rows, or None in its place where no path is given."""
    return nullcontext() if path is None else RejectedRows(path, table.headings, origin)


def counted(
    blocks: Iterator[ImportedBlock], tally: RowCounts, rejected: RejectedRows | None, progress: Progress
) -> Iterator[ImportedBlock]:
    """Yield the rows on by the block, having counted them, told of progress and written down the rejected ones."""
    for found in blocks:
        tally.count(found)
        if rejected:
            for one in found.rejected:
                rejected.write(one.row, one.reasons)
        progress(tally.rows)
        yield found
