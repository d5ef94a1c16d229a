"""How orders look that a person is asked to approve."""

from collections.abc import Iterator

from rich.console import RenderableType

from console.queries.offers import OfferSum
from console.views.attention import PLAIN_APPROVAL
from console.views.formatting import cost, count, facts, state, table, text
from console.views.mailings import mailing_table
from console.views.quotes import delivery_words, quote_table
from console.views.time_formatting import time_facts
from worker.clock import system_clock

_MOST_TIMES = 6


def offer_parts(offer: OfferSum, *, orders: bool) -> Iterator[RenderableType]:
    """Yield counts, the quote of all orders, dates, who is not mailed, and with `orders` each order."""
    yield _facts(offer)
    if orders:
        yield mailing_table(offer.orders)
    if offer.quote is not None:
        title = f"Quote of {count(len(offer.orders), 'order')}"
        yield quote_table(offer.quote, title)
        yield delivery_words(offer.quote)
    if offer.unmailed:
        rows = table("people", "not mailed", "reason", right=("people",), fold=("reason",))
        for one in offer.unmailed:
            rows.add_row(f"{one.people:,}", state(one.outcome), text(one.reason))
        yield rows
    yield from _times(offer)
    yield from dict.fromkeys(
        f"mailing {one.id}: {text(one.reason)}"
        for one in offer.orders
        if one.reason and one.reason != PLAIN_APPROVAL
    )


def question(offer: OfferSum, vendor: str) -> str:
    """Return the question whether all of it is to be sent."""
    return (
        f"{vendor.upper()}: send {count(offer.pieces, 'piece')} in {count(len(offer.orders), 'order')}"
        f" for {cost(offer.total, offer.from_credits)}?"
    )


def _facts(offer: OfferSum) -> RenderableType:
    names = [f"{number}  {name}" for number, name in offer.campaigns]
    templates = ", ".join(dict.fromkeys(str(one.template_id) for one in offer.orders))
    people = sum(one.size for one in offer.orders)
    rows = f"; {count(offer.rejected_rows, 'row')} of the list rejected before" if offer.rejected_rows else ""
    return facts(
        *(("campaign", name) for name in names),
        ("orders", ", ".join(f"{one.order_id}" for one in offer.orders[:_MOST_TIMES]) + _more(offer)),
        ("template", templates),
        ("people", f"{offer.pieces:,} of {people:,} are mailed{rows}"),
        ("cost", cost(offer.total, offer.from_credits)),
    )


def _more(offer: OfferSum) -> str:
    more = len(offer.orders) - _MOST_TIMES
    return f" and {more:,} more" if more > 0 else ""


def _times(offer: OfferSum) -> Iterator[str]:
    now = system_clock()
    said: dict[str, int] = {}
    for one in offer.orders:
        for name, words in time_facts(one, now):
            said[f"{name}: {words}"] = said.get(f"{name}: {words}", 0) + 1
    for line, orders in list(said.items())[:_MOST_TIMES]:
        yield line if orders == len(offer.orders) else f"{line} ({count(orders, 'order')})"
