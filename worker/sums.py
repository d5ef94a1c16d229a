"""Adds a quote up again: lines from their parts, totals from the lines, the balance from the totals.

LettrLabs does not state its arithmetic. Read is what its names say: charges before tax, tax on top, credits off,
whatever their sign. Anything that is then a cent or more off is said, and nothing is paid on it.
"""

from collections.abc import Iterator
from decimal import Decimal

from lettrlabs import Line, Quote
from worker.amounts import added, money, same


def differences(quote: Quote) -> list[str]:
    """Return, a sentence each, what of a quote does not add up."""
    return [*_parts(quote), *_totals(quote)]


def _parts(quote: Quote) -> Iterator[str]:
    waiting = [*quote.lines, *quote.credits]
    while waiting:
        line = waiting.pop()
        if not line.sub_items:
            continue
        yield from _compare(
            f'the parts of "{line.name}"', added(part.total for part in line.sub_items), line.total
        )
        if any(part.tax for part in line.sub_items):
            tax = added(part.tax for part in line.sub_items)
            yield from _compare(f'the tax on the parts of "{line.name}"', tax, line.tax)
        waiting += line.sub_items


def _totals(quote: Quote) -> Iterator[str]:
    credited = abs(quote.total_credits)
    if quote.lines:
        yield from _compare("the lines", added(line.total for line in quote.lines), quote.total_charges)
        yield from _compare("the lines' tax", added(_tax(line) for line in quote.lines), quote.total_tax)
    if quote.credits:
        yield from _compare("the credits", abs(added(line.total for line in quote.credits)), credited)
    # Credits beyond what is due stay in the account: nothing is paid, and nothing paid out.
    balance = max(quote.total_charges + quote.total_tax - credited, Decimal(0))
    yield from _compare("charges and tax less credits", balance, quote.balance)


def _tax(line: Line) -> Decimal:
    return line.tax or added(_tax(part) for part in line.sub_items)


def _compare(what: str, sum_: Decimal, stated: Decimal) -> Iterator[str]:
    if not same(sum_, stated):
        yield f"{what} add up to {money(sum_)}, not to {money(stated)}"
