"""How a list of people looks that was looked over."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from console.views.words import count, facts, table, text
from intake.check import Findings, Tally

# Of a spreadsheet with columns by the thousand a person reads no more.
_MOST_NAMES: Final = 20


def findings_facts(findings: Findings) -> Table:
    """Return how a list was read, and which column became which field."""
    tally, columns = findings.tally, findings.columns
    fields = ", ".join(f"{heading} = {field}" for field, heading in columns.named().items())
    return facts(
        ("list", findings.name),
        ("read as", f"{findings.encoding}, columns between {_DELIMITERS.get(findings.delimiter, '?')}"),
        ("columns", fields),
        *((("left out", _some(columns.left_out)),) if columns.left_out else ()),
        ("rows", f"{tally.rows:,}: {tally.people:,} to mail, {tally.rejected:,} rejected"),
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def rejected_table(tally: Tally) -> Table:
    """Return the first rejected rows and why; of the others the number."""
    rows = table("row", "what is wrong", right=("row",), fold=("what is wrong",), title="Rejected rows")
    for number, sentence in tally.first_rejected:
        rows.add_row(str(number), text(sentence))
    left = tally.rejected - len(tally.first_rejected)
    if left:
        rows.add_row("", f"and {count(left, 'row')} more")
    return rows


_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
