"""How the doctor's findings look."""

from collections.abc import Iterable

from rich.table import Table

from console.queries.findings import Check
from console.views.formatting import state, table, text


def check_table(checks: Iterable[Check]) -> Table:
    """Return one line for each finding."""
    rows = table("", "checked", "found", "what to do", fold=("found", "what to do"))
    for one in checks:
        rows.add_row(state(one.verdict), one.name, text(one.found), one.advice)
    return rows


def told(check: Check) -> dict[str, str]:
    """Return a finding for JSON."""
    return {"name": check.name, "verdict": check.verdict, "found": check.found, "advice": check.advice}
