"""How suppression lists look."""

from collections.abc import Iterable

from rich.table import Table

from console.queries.suppression import ListStanding
from console.views.formatting import day, table, text
from models import IdentityKind


def list_table(lists: Iterable[ListStanding]) -> Table:
    """Return every list with its entries by mark."""
    marks = [mark.value for mark in IdentityKind]
    rows = table("list", *marks, "last added", right=tuple(marks), fold=("list",), title="Suppression lists")
    for one in lists:
        counts = [f"{one.entries.get(mark, 0):,}" for mark in marks]
        rows.add_row(text(one.name), *counts, day(one.last_added))
    return rows
