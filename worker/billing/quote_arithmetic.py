"""Adds a quote up again: lines from their parts, totals from the lines, the balance from the totals.

LettrLabs does not state its arithmetic. The names are taken at their word: charges before tax, tax on top, credits
off, whatever their sign. A difference of a cent or more is named, and so is every amount that is not stated.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from lettrlabs import Line, Quote
from models import Difference
from worker.billing.amounts import CENT, added, money, same, to_cent
from worker.billing.costs import ZERO, cost_of


@dataclass(frozen=True, slots=True)
class Doubt:
    """One difference, by its kind and in words."""

    kind: Difference
    words: str


def doubts(quote: Quote, people: int) -> list[Doubt]:
    """Return what of the quote of an order with so many people cannot be right."""
    return [*_nothing(quote), *arithmetic_errors(quote), *_pieces(quote, people)]


def arithmetic_errors(quote: Quote) -> list[Doubt]:
    """Return what of a quote does not add up."""
    return [*_missing(quote), *_parts(quote), *_totals(quote)]


def _nothing(quote: Quote) -> Iterator[Doubt]:
    if not quote.lines:
        yield Doubt(Difference.NO_LINES, "it has no lines")
    if cost_of(quote).total <= 0:
        yield Doubt(Difference.COSTS_NOTHING, "it costs nothing")


def _missing(quote: Quote) -> Iterator[Doubt]:
    totals = {
        "charges": quote.total_charges,
        "tax": quote.total_tax,
        "credits": quote.total_credits,
        "balance": quote.balance,
    }
    unstated = [name for name, amount in totals.items() if amount is None]
    if unstated:
        yield Doubt(Difference.MISSING_AMOUNT, f"it does not state its {' and '.join(unstated)}")
    for line in [*_every(quote.lines), *_every(quote.credits)]:
        if line.total is None:
            yield Doubt(Difference.MISSING_AMOUNT, f'the line "{line.name}" has no amount')


def _parts(quote: Quote) -> Iterator[Doubt]:
    for line in [*_every(quote.lines), *_every(quote.credits)]:
        if not line.sub_items:
            continue
        parts = _sum(part.total for part in line.sub_items)
        yield from _compare(Difference.PARTS, f'the parts of "{line.name}"', parts, line.total)
        if any(part.tax for part in line.sub_items):
            tax = added(part.tax or ZERO for part in line.sub_items)
            yield from _compare(Difference.PARTS_TAX, f'the tax on the parts of "{line.name}"', tax, line.tax)


def _totals(quote: Quote) -> Iterator[Doubt]:
    if quote.lines:
        yield from _lines(quote, _sum(line.total for line in quote.lines))
        if any(_tax(line) is not None for line in quote.lines):
            tax = added(_tax(line) or ZERO for line in quote.lines)
            yield from _compare(Difference.LINES_TAX, "the lines' tax", tax, quote.total_tax)
    credited = None if quote.total_credits is None else abs(quote.total_credits)
    if quote.credits:
        listed = _sum(line.total for line in quote.credits)
        yield from _compare(
            Difference.CREDITS, "the credits", None if listed is None else abs(listed), credited
        )
    if quote.total_charges is not None and quote.total_tax is not None and credited is not None:
        yield from _balance(quote, quote.total_charges, quote.total_tax, credited)


def _lines(quote: Quote, listed: Decimal | None) -> Iterator[Doubt]:
    charges, tax = quote.total_charges, quote.total_tax
    if listed is not None and charges is not None and tax and to_cent(tax) and same(listed, charges + tax):
        words = f"the lines include the tax: they add up to {money(listed)}, charges and tax together"
        yield Doubt(Difference.TAX_IN_LINES, words)
        return
    yield from _compare(Difference.LINES, "the lines", listed, charges)


def _balance(quote: Quote, charges: Decimal, tax: Decimal, credited: Decimal) -> Iterator[Doubt]:
    # Credits beyond what is due stay in the account: nothing is paid, and nothing paid out.
    without_tax = charges - credited
    if (
        to_cent(tax)
        and without_tax > -CENT
        and quote.balance is not None
        and same(without_tax, quote.balance)
    ):
        words = f"the charges include the tax: less credits they are the balance, {money(quote.balance)}"
        yield Doubt(Difference.TAX_IN_CHARGES, words)
        return
    due = max(charges + tax - credited, ZERO)
    yield from _compare(Difference.BALANCE, "charges and tax less credits", due, quote.balance)


def _pieces(quote: Quote, people: int) -> Iterator[Doubt]:
    """Compare the quantities with the people on the order; a fee may come once, a card once for each person."""
    told = {line.quantity for line in _every(quote.lines) if line.quantity is not None}
    if not quote.lines or told == {people}:
        return
    if not told - {0, 1} and people > 1:
        words = f"no line tells for how many pieces it is, and {people:,} people are on the order"
        yield Doubt(Difference.PIECES_NOT_TOLD, words)
    elif not told:
        yield Doubt(Difference.PIECES_NOT_TOLD, "no line tells for how many pieces it is")
    elif people not in told or told - {people, 0, 1}:
        named = ", ".join(f"{one:,}" for one in sorted(told - {people}))
        yield Doubt(Difference.PIECES, f"it is for {named} pieces, and {people:,} people are on the order")


def _every(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        yield line
        yield from _every(line.sub_items)


def _tax(line: Line) -> Decimal | None:
    parts = [tax for part in line.sub_items if (tax := _tax(part)) is not None]
    return line.tax or (added(parts) if parts else line.tax)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum, None if one of the amounts is not stated."""
    given = list(amounts)
    stated = [amount for amount in given if amount is not None]
    return added(stated) if len(stated) == len(given) else None


def _compare(kind: Difference, what: str, listed: Decimal | None, stated: Decimal | None) -> Iterator[Doubt]:
    if listed is not None and stated is not None and not same(listed, stated):
        yield Doubt(kind, f"{what} add up to {money(listed)}, not to {money(stated)}")
