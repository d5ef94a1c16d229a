"""Looking a list over: what a campaign would find in it, without sending or keeping anything."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from intake.columns import Columns, match_columns
from intake.people import Mailable, Rejected, people
from intake.reasons import ReasonCode
from intake.rejects import RejectedRows
from intake.strictness import Strictness
from intake.table import Table

Source: TypeAlias = Path | BinaryIO
Progress: TypeAlias = Callable[[int], None]
"""Told every so often how many rows were read so far."""

_ROWS_PER_STEP: Final = 1000
_FIRST_REJECTED: Final = 20


@dataclass(slots=True)
class Tally:
    """Counts rows on their way. A row with several reasons counts under its first."""

    rows: int = 0
    people: int = 0
    reasons: Counter[ReasonCode] = field(default_factory=Counter)
    first_rejected: list[tuple[int, str]] = field(default_factory=list, repr=False)

    @property
    def rejected(self) -> int:
        """How many rows are not mailed."""
        return self.rows - self.people

    def count(self, one: Mailable | Rejected) -> None:
        """Count a row."""
        self.rows += 1
        if isinstance(one, Mailable):
            self.people += 1
            return
        self.reasons[one.reasons[0].code] += 1
        if len(self.first_rejected) < _FIRST_REJECTED:
            self.first_rejected.append((one.row.number, one.reasons[0].sentence))


@dataclass(frozen=True, slots=True)
class Findings:
    """What a list holds: how it was read, its columns, and how many of its rows can be mailed and why not."""

    name: str
    encoding: str
    delimiter: str
    columns: Columns
    tally: Tally


def check_campaign(
    source: Source,
    *,
    mapping: Mapping[str, str] | None = None,
    strictness: Strictness = Strictness.NORMAL,
    rejected_to: Path | None = None,
    progress: Progress = lambda _: None,
) -> Findings:
    """Read a list to its end and return what is in it; needs no database.

    Writes the rejected rows to `rejected_to`, if given and if there are any. Raises TableError, ColumnsError.
    """
    tally = Tally()
    with Table.open(source) as table:
        columns = match_columns(table.headings, mapping)
        with rejected_rows(rejected_to, table) as rejected:
            for _ in counted(people(table, columns, strictness=strictness), tally, rejected, progress):
                pass
        return Findings(table.name, table.encoding, table.delimiter, columns, tally)


def rejected_rows(path: Path | None, table: Table) -> AbstractContextManager[RejectedRows | None]:
    """Return a writer of a table's rejected rows, or None in its place where nobody wants them."""
    return nullcontext() if path is None else RejectedRows(path, table.headings)


def counted(
    found: Iterator[Mailable | Rejected], tally: Tally, rejected: RejectedRows | None, progress: Progress
) -> Iterator[Mailable | Rejected]:
    """Yield the rows on, having counted them, told of progress and written down the rejected ones."""
    for one in found:
        tally.count(one)
        if rejected and isinstance(one, Rejected):
            rejected.write(one.row, one.reasons)
        if tally.rows % _ROWS_PER_STEP == 0:
            progress(tally.rows)
        yield one
    progress(tally.rows)
