"""The people of a table: each row becomes somebody to mail or a rejected row, and nobody is taken twice."""

from collections.abc import Iterator
from typing import NamedTuple

from intake.addresses import AddressGate
from intake.columns import Columns
from intake.digests import Digests
from intake.reasons import Reason, ReasonCode
from intake.recipient import Recipient
from intake.strictness import Strictness
from intake.table import Row, Table


class Mailable(NamedTuple):
    """Somebody to mail, the row they came from if they came from a table, and what they are known by."""

    row: int | None
    recipient: Recipient
    digests: Digests


class Rejected(NamedTuple):
    """A row that is not mailed, and every reason for it."""

    row: Row
    reasons: tuple[Reason, ...]

    def __repr__(self) -> str:
        return "<Rejected>"


def people(
    table: Table, columns: Columns, key: bytes = b"", strictness: Strictness = Strictness.NORMAL
) -> Iterator[Mailable | Rejected]:
    """Yield each row of a table as somebody to mail, known by digests under the key, or as rejected.

    Takes about 150 bytes of memory for each person, to know the duplicates. Raises TableError.
    """
    read = columns.reader()
    gate = AddressGate(columns.named(), strictness)
    width = len(table.headings)
    first_rows: dict[bytes, int] = {}
    for row in table.rows():
        if len(row.cells) > width:
            yield Rejected(row, (TOO_MANY_CELLS,))
            continue
        found = gate.admit(*read(row.cells))
        if not isinstance(found, Recipient):
            yield Rejected(row, found)
            continue
        digests = found.known_by(key)
        first_row = first_rows.setdefault(digests.whole, row.number)
        if first_row == row.number:
            yield Mailable(row.number, found, digests)
        else:
            yield Rejected(row, (_duplicate_of(first_row),))


TOO_MANY_CELLS = Reason(
    ReasonCode.TOO_MANY_CELLS,
    "The row has more cells than there are headings; does a cell with a comma in it lack its quotes?",
)


def _duplicate_of(row: int) -> Reason:
    return Reason(ReasonCode.DUPLICATE, f"The same person at the same address is in row {row}.")
