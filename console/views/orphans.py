"""How strays look."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from rich.table import Table

from console.views.formatting import table, text, when


def stray_table(strays: Iterable[Mapping[str, object]]) -> Table:
    """Return one line for each draft that no mailing explains."""
    columns = ("order", "fate", "looks", "first seen", "last seen", "why")
    rows = table(*columns, right=("order", "looks"), fold=("why",))
    for one in strays:
        rows.add_row(
            text(one["order_id"]),
            text(one["fate"]),
            text(one["sightings"]),
            _when(one["first_seen"]),
            _when(one["last_seen"]),
            text(one["why"]),
        )
    return rows


def _when(value: object) -> str:
    return when(value) if isinstance(value, datetime) else "-"
