"""Amounts of money: read, compared to the cent, and put into words.

The vendor states neither currency nor rounding.
"""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CENT: Final = Decimal("0.01")
# What NUMERIC(14, 4) holds.
MOST_MONEY: Final = Decimal(10) ** 10

# A comma only groups thousands: read as a decimal mark or dropped, it would change a limit a hundredfold.
_AMOUNT: Final = re.compile(r"\$? ?(?P<number>(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)")


def to_cent(amount: Decimal) -> Decimal:
    """Return an amount rounded to the cent, a half cent up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def same(one: Decimal, other: Decimal) -> bool:
    """Return whether two amounts are the same money: less than a cent apart is rounding."""
    return abs(one - other) < CENT


def exceeds(amount: Decimal, limit: Decimal) -> bool:
    """Return whether an amount, rounded to the cent, is above a limit."""
    return to_cent(amount) > limit


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum."""
    return sum(amounts, Decimal(0))


def money(amount: Decimal | None) -> str:
    """Return an amount to the cent, with more digits only where there are more."""
    if amount is None:
        return "unknown"
    cents = amount.quantize(CENT)
    return f"{cents:,}" if cents == amount else f"{amount.normalize():,f}"


def parse_amount(given: str) -> Decimal:
    """Return the amount of money that a person wrote; raises ValueError, in words, for anything else."""
    found = _AMOUNT.fullmatch(given.strip())
    if found is None:
        hint = "; a comma may only group thousands, as in 1,250.00" if "," in given else ""
        raise ValueError(f"must be an amount of money such as 250.00{hint}")
    amount = Decimal(found["number"].replace(",", ""))
    require_money(amount)
    return amount


def require_money(amount: Decimal | None) -> None:
    """Raise ValueError for an amount that is no number, negative, too large, or finer than a hundredth of a cent."""
    if amount is None:
        return
    if not amount.is_finite() or amount < 0 or amount >= MOST_MONEY or amount != round(amount, 4):
        raise ValueError("must be an amount of money such as 250.00")
