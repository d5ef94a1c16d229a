"""What an order costs: charges and tax less discounts. Credits of the account are how it is paid.

The vendor lists discounts and the account's credits alike. A credit counts as a discount only if its own words say
so; every other reading is dearer, and the dearer one is taken.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lettrlabs import Line, Quote
from worker.billing.amounts import added, to_cent

ZERO: Final = Decimal(0)
_DISCOUNTS: Final = ("discount", "volume", "bulk", "promo", "coupon", "rebate", "markdown", "savings")
# These words name money of the customer's own, whatever else a line says.
_OWN_MONEY: Final = ("account", "prepaid", "prepay", "balance", "subscription", "wallet", "deposit", "fund")
_REFUNDS: Final = ("refund", "revers", "chargeback")


@dataclass(frozen=True, slots=True)
class Cost:
    """What an order costs, to the cent, and how much of that the account's credits pay."""

    total: Decimal
    from_credits: Decimal = ZERO


def is_discount(*names: str | None) -> bool:
    """Return whether the words of a credit say that it lowers the cost."""
    words = _letters(names)
    return _has(words, _DISCOUNTS) and not _has(words, _OWN_MONEY)


def is_refund(*names: str | None) -> bool:
    """Return whether the words of a transaction say that it gives money back."""
    return _has(_letters(names), _REFUNDS)


def cost_of(quote: Quote, *, tax_in_charges: bool = False) -> Cost:
    """Return what a quote costs by its totals; an amount that the vendor does not state counts as nothing.

    With ``tax_in_charges`` the charges include the tax already. ``worker/billing/quote_arithmetic.py`` tells
    whether the totals hold.
    """
    charges, tax, balance = (
        amount or ZERO for amount in (quote.total_charges, quote.total_tax, quote.balance)
    )
    credited = abs(quote.total_credits or ZERO)
    discounts = min(discounts_of(quote), credited)
    paid_in_lines = added(_credits_among_charges(quote.lines))
    paying = credited - discounts + paid_in_lines
    before_credits = charges - discounts + paid_in_lines + (ZERO if tax_in_charges else tax)
    # More credit than is due stays in the account, so it adds nothing to what is due.
    due = max(before_credits, balance + min(paying, max(before_credits, ZERO)), ZERO)
    return Cost(to_cent(due), to_cent(min(paying, due)))


def discounts_of(quote: Quote) -> Decimal:
    """Return what the quote takes off the charges."""
    return added(abs(line.total or ZERO) for line in quote.credits if _is_discount_line(line))


def _is_discount_line(line: Line) -> bool:
    return is_discount(line.name, line.transaction_type, line.transaction_sub_type)


def _credits_among_charges(lines: Iterable[Line]) -> Iterator[Decimal]:
    """Yield the lines below zero that are not known to be discounts: they pay."""
    for line in lines:
        if line.sub_items:
            yield from _credits_among_charges(line.sub_items)
        elif line.total is not None and line.total < 0 and not _is_discount_line(line):
            yield -line.total


def _letters(names: Iterable[str | None]) -> str:
    return " ".join("".join(filter(str.isalpha, name.casefold())) for name in names if name)


def _has(words: str, some: Iterable[str]) -> bool:
    return any(one in words for one in some)
