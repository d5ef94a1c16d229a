"""How a list of people looks that was looked over."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from console.views.formatting import count, facts, moment, table, text
from intake.csv.merge_samples import Samples
from intake.csv.preview import ImportPreview, RowCounts
from intake.csv.saved_mappings import SavedMapping

# Of a spreadsheet with columns by the thousand a person reads no more.
_MOST_NAMES: Final = 20
_LONGEST_SAMPLE: Final = 60


def findings_facts(findings: ImportPreview) -> Table:
    """Return how a list was read, and which column became which field."""
    tally, columns = findings.tally, findings.columns
    fields = ", ".join(f"{heading} = {field}" for field, heading in columns.named().items())
    return facts(
        ("list", findings.name),
        ("read as", _read_as(findings)),
        ("columns", fields),
        *((("left out", _some(columns.left_out)),) if columns.left_out else ()),
        *sample_facts(findings.samples),
        ("rows", f"{tally.rows:,}: {tally.people:,} to mail, {tally.rejected:,} rejected{_further(tally)}"),
    )


def sample_facts(samples: Samples) -> Sequence[tuple[str, str]]:
    """Return each filled merge field, and two values of it as they will be printed."""
    return [
        (f"prints {name}", f"{' | '.join(map(_short, values))}  (from {heading})")
        for name, heading, values in samples.filled()
    ]


def sample_lines(samples: Sequence[tuple[str, tuple[str, ...]]]) -> list[str]:
    """Return a line for each filled merge field, with values of it as they will be printed."""
    return [f"Prints {name}: {' | '.join(map(_short, values))}" for name, values in samples]


def _read_as(findings: ImportPreview) -> str:
    if findings.sheet:
        how = f'sheet "{findings.sheet}" of a workbook'
    else:
        how = f"{findings.encoding}, columns between {_DELIMITERS.get(findings.delimiter, '?')}"
    preset = f"{findings.columns.preset} export; " if findings.columns.preset else ""
    above = f"; {count(findings.above, 'row')} above the headings left out" if findings.above else ""
    return f"{preset}{how}{above}"


def _further(tally: RowCounts) -> str:
    return f"; {count(tally.further, 'further line')} of the same orders" if tally.further else ""


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_SAMPLE else f"{value[:_LONGEST_SAMPLE]}…"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def rejected_table(tally: RowCounts) -> Table:
    """Return the first rejected rows and why; of the others the number."""
    rows = table("row", "what is wrong", right=("row",), fold=("what is wrong",), title="Rejected rows")
    for number, sentence in tally.first_rejected:
        rows.add_row(str(number), text(sentence))
    left = tally.rejected - len(tally.first_rejected)
    if left:
        rows.add_row("", f"and {count(left, 'row')} more")
    return rows


_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def reasons_table(tally: RowCounts) -> Table:
    """Return how many rows are rejected for which reason; a row with several counts under its first."""
    rows = table("reason", "rows", right=("rows",), title="Rejected for")
    for code, number in tally.reasons.most_common():
        rows.add_row(str(code), f"{number:,}")
    return rows


def mapping_table(saved: Sequence[SavedMapping]) -> Table:
    """Return the saved mappings."""
    rows = table("name", "mapping", "saved by", "UTC", fold=("mapping",), title="Saved mappings")
    for one in saved:
        pairs = ", ".join(f"{heading}={field}" for heading, field in one.mapping.items())
        rows.add_row(text(one.name), text(pairs), text(one.saved_by), moment(one.saved_at))
    return rows


def findings_told(findings: ImportPreview) -> dict[str, object]:
    """Return what was found as members of a JSON document."""
    tally, columns = findings.tally, findings.columns
    return {
        "name": findings.name,
        "encoding": findings.encoding,
        "sheet": findings.sheet,
        "export": columns.preset,
        "columns": columns.named(),
        "left_out": list(columns.left_out),
        "merge_samples": {name: list(values) for name, _, values in findings.samples.filled()},
        "rows": tally.rows,
        "people": tally.people,
        "rejected": tally.rejected,
        "further_lines": tally.further,
        "reasons": {str(code): number for code, number in tally.reasons.items()},
        "first_rejected": [{"row": row, "why": why} for row, why in tally.first_rejected],
    }
