"""How a grid of prices and dates looks, and a calendar."""

from collections.abc import Iterable
from datetime import datetime

from rich.table import Table

from console.queries.calendar import Cell, Due
from console.views.formatting import money, table, text
from worker.scheduling.zoned_time import format_day, format_instant


def grid_table(cells: Iterable[Cell]) -> Table:
    """Return each choice with its price and by when the last piece arrives; the chosen one is marked."""
    rows = table("", "postage", "speed", "price", "arrives by", "in time", right=("price",), title="Choices")
    for one in cells:
        arrives = "-" if one.arrives is None else f"{one.arrives:%a} {one.arrives}"
        style = "bold" if one.chosen else None
        mark = "*" if one.chosen else ""
        in_time = "yes" if one.meets else "no"
        rows.add_row(mark, one.postage, one.speed, money(one.total), arrives, in_time, style=style)
    return rows


def calendar_table(entries: Iterable[Due], now: datetime) -> Table:
    """Return one line for each thing that will happen."""
    rows = table("when", "what", "people", "price", "why", right=("people", "price"), fold=("when", "why"))
    for one in entries:
        people = "" if one.people is None else f"{one.people:,}"
        rows.add_row(
            format_instant(one.at, one.zone, now), _what(one), people, money(one.quoted), text(one.why)
        )
    return rows


def _what(one: Due) -> str:
    campaign = "" if one.campaign_id is None else f"campaign {one.campaign_id}"
    mailing = "" if one.mailing_id is None else f"mailing {one.mailing_id}"
    return ", ".join(filter(None, [mailing, campaign]))


def days_words(cells: Iterable[Cell], now: datetime) -> str:
    """Return on which day a grid was quoted."""
    taken = max((one.taken_at for one in cells), default=now)
    return f"Quoted {format_day(taken.date(), now)}; nothing is ordered."
