"""How a price looks, line by line."""

from collections.abc import Iterable
from decimal import Decimal

from rich.table import Table

from console.queries.quotes import ChargeFacts, Line, QuoteFacts
from console.views.formatting import day, money, table, text, when

_NUMBERS = ("quantity", "rate", "tax", "total", "amount")


def quote_table(quote: QuoteFacts, title: str) -> Table:
    """Return a quote's lines, parts below what they are part of, and its sums."""
    rows = table("line", "quantity", "rate", "tax", "total", right=_NUMBERS, fold=("line",), title=title)
    depth: dict[int, int] = {}
    for line in quote.lines:
        depth[line.position] = 0 if line.parent is None else depth.get(line.parent, 0) + 1
        rows.add_row(*_cells(line, depth[line.position]))
    rows.add_section()
    rows.add_row("charges", "", "", "", money(quote.charges), style="dim")
    rows.add_row("tax", "", "", "", money(quote.tax), style="dim")
    rows.add_row("credits", "", "", "", money(_negative(quote.credits)), style="dim")
    rows.add_row("cost", "", "", "", money(quote.total), style="bold")
    if quote.from_credits:
        rows.add_row("of which from account credits", "", "", "", money(quote.from_credits))
    return rows


def delivery_words(quote: QuoteFacts) -> str:
    """Return how it travels and when it is expected."""
    arrival = f"{day(quote.delivery_min)} to {day(quote.delivery_max)}"
    return f"{quote.postage}, {quote.speed}; expected {arrival}"


def charge_table(charges: Iterable[ChargeFacts]) -> Table:
    """Return what was charged and given back."""
    rows = table("transaction", "amount", "what", "made", right=_NUMBERS, fold=("what",), title="Charges")
    for one in charges:
        amount = _negative(one.amount) if one.is_credit else one.amount
        what = f"{text(one.description)} (paid by account credits)" if one.pays else text(one.description)
        rows.add_row(text(one.vendor_id), money(amount), what, when(one.made_at))
    return rows


def _negative(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -abs(amount)


def _cells(line: Line, depth: int) -> tuple[str, ...]:
    quantity = "" if line.quantity is None else f"{line.quantity.normalize():,f}"
    rate, tax = ("" if value is None else money(value) for value in (line.rate, line.tax))
    return (
        "  " * depth + text(line.name),
        quantity,
        rate,
        tax,
        money(_negative(line.total) if line.is_credit else line.total),
    )
