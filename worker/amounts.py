"""Amounts of money: compared to the cent, and said in words. The vendor states neither currency nor rounding."""

from collections.abc import Iterable
from decimal import Decimal

CENT = Decimal("0.01")


def same(one: Decimal, other: Decimal) -> bool:
    """Return whether two amounts are the same money: less than a cent apart is rounding."""
    return abs(one - other) < CENT


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum."""
    return sum(amounts, Decimal(0))


def money(amount: Decimal | None) -> str:
    """Return an amount to the cent, with more digits only where there are more."""
    if amount is None:
        return "unknown"
    cents = amount.quantize(CENT)
    return f"{cents:,}" if cents == amount else f"{amount.normalize():,f}"
