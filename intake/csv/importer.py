"""The people of a table: each row becomes somebody to mail or a rejected row, and nobody is taken twice."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from intake.csv.columns import Columns
from intake.csv.fast_path import FastPath
from intake.csv.records import Block, Row
from intake.csv.table import Table
from intake.reasons import Reason, ReasonCode
from intake.recipients.recipient import Recipient
from intake.recipients.rows import DIGEST, RecipientRow, to_row
from intake.recipients.strictness import Strictness
from intake.recipients.validator import AddressValidator


class RejectedRow(NamedTuple):
    """A row that is not mailed, and every reason for it."""

    row: Row
    reasons: tuple[Reason, ...]

    def __repr__(self) -> str:
        return "<Rejected>"


class ImportedBlock(NamedTuple):
    """What became of the rows of a block: people to mail, rejected rows, and how many further lines of an order."""

    people: list[RecipientRow]
    rejected: list[RejectedRow]
    further: int = 0

    def __repr__(self) -> str:
        return f"<{len(self.people)} people, {len(self.rejected)} rejected rows>"


def people(
    table: Table, columns: Columns, key: bytes = b"", strictness: Strictness = Strictness.NORMAL
) -> Iterator[ImportedBlock]:
    """Yield what becomes of the rows of a table, by the block: whom to mail, known under the key, and whom not.

    Takes about 160 bytes of memory for each person, to know the duplicates. Raises TableError.
    """
    plain = FastPath(columns, key, strictness)
    by_the_gate = _gate(columns, key, strictness)
    first_rows: dict[bytes, int] = {}
    if columns.layout:
        columns.layout.begin()
    for read in table.blocks():
        block, cells, further = columns.arrange(read)
        found = plain.find(block.numbers, cells)
        admitted = [one or by_the_gate(block.row(at), cells[at]) for at, one in enumerate(found)]
        yield _each_once(block, admitted, first_rows)._replace(further=further)


def _gate(
    columns: Columns, key: bytes, strictness: Strictness
) -> Callable[[Row, list[str]], RecipientRow | RejectedRow]:
    read = columns.reader()
    gate = AddressValidator(columns.named(), strictness)
    width = columns.width

    def by_the_gate(row: Row, cells: list[str]) -> RecipientRow | RejectedRow:
        if len(cells) > width:
            return RejectedRow(row, (TOO_MANY_CELLS,))
        found = gate.admit(*read(cells))
        return to_row(row.number, found, key) if isinstance(found, Recipient) else RejectedRow(row, found)

    return by_the_gate


def _each_once(
    block: Block, found: Sequence[RecipientRow | RejectedRow], first_rows: dict[bytes, int]
) -> ImportedBlock:
    """Reject whoever was in an earlier row."""
    once = ImportedBlock([], [])
    for at, one in enumerate(found):
        if isinstance(one, RejectedRow):
            once.rejected.append(one)
            continue
        number = block.numbers[at]
        first_row = first_rows.setdefault(one[DIGEST], number)
        if first_row == number:
            once.people.append(one)
        else:
            once.rejected.append(RejectedRow(block.row(at), (_duplicate_of(first_row),)))
    return once


TOO_MANY_CELLS = Reason(
    ReasonCode.TOO_MANY_CELLS,
    "The row has more cells than there are headings; does a cell with a comma in it lack its quotes?",
)


def _duplicate_of(row: int) -> Reason:
    return Reason(ReasonCode.DUPLICATE, f"The same person at the same address is in row {row}.")
