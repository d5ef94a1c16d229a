"""How single values read: money, times, states."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from console.output import printable
from console.views.stacking import StackingTable

_COLOURS: Final = {
    "sent": "green",
    "approval": "yellow",
    "attention": "bold red",
    "failed": "red",
    "paused": "yellow",
    "cancelled": "dim",
    "working": "cyan",
    "sending": "cyan",
    "preparing": "cyan",
    "ok": "green",
    "warn": "yellow",
    "fail": "bold red",
}


def money(amount: Decimal | None) -> str:
    """Return an amount in the vendor's currency to the cent, with more digits only where there are more."""
    if amount is None:
        return "-"
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    cents = size.quantize(Decimal("0.01"))
    return f"{sign}${cents:,}" if cents == size else f"{sign}${size.normalize():,f}"


def cost(amount: Decimal | None, from_credits: Decimal | None) -> str:
    """Return what something costs, and how much of that the account's credits pay if they pay any."""
    return (
        f"{money(amount)} (of which {money(from_credits)} from account credits)"
        if from_credits
        else money(amount)
    )


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def when(instant: datetime | None) -> str:
    """Return an instant in UTC to the second."""
    return "-" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def moment(instant: datetime) -> str:
    """Return an instant for a column that is headed UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def day(instant: datetime | None) -> str:
    """Return the day of an instant in UTC."""
    return "-" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d}"


def state(word: str) -> Text:
    """Return a state in its colour."""
    return Text(word, style=_COLOURS.get(word, ""))


def text(value: object) -> str:
    """Return a value that came from outside, fit for a terminal; a dash for nothing."""
    return "-" if value in (None, "") else printable(str(value))


def facts(*pairs: tuple[str, object]) -> Table:
    """Return names and values side by side."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(name, value if isinstance(value, Text) else text(value))
    return grid


def table(
    *columns: str, right: tuple[str, ...] = (), fold: tuple[str, ...] = (), title: str | None = None
) -> Table:
    """Return an empty table; the columns in `right` hold numbers, those in `fold` may take several lines.

    Where the terminal is too narrow for the numbers and the words, its rows are printed as blocks.
    """
    empty = StackingTable(
        title=title, title_justify="left", title_style="bold", header_style="bold", box=None
    )
    for column in columns:
        justify: JustifyMethod = "right" if column in right else "left"
        empty.add_column(column, justify=justify, no_wrap=column not in fold, overflow="fold")
    return empty
