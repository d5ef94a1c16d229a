"""The price list, and the quote that follows from it: every total is the sum of what is listed under it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from sandbox.domain.business_days import business_day_after
from sandbox.domain.enums import Postage, Speed
from sandbox.domain.templates import Template

_CENT = Decimal("0.01")
_TAX_RATE = Decimal("0.07")  # on production; postage is not taxed
POSTAGE_PRICES = {Postage.STANDARD: Decimal("0.45"), Postage.FIRST_CLASS: Decimal("0.73")}
SPEED_PRICES = {
    Speed.NORMAL: Decimal("0.00"),
    Speed.FASTER: Decimal("0.35"),
    Speed.FASTEST: Decimal("0.75"),
    Speed.HAIL_TRACE: Decimal("0.95"),
}
_PRODUCTION_DAYS = {Speed.NORMAL: 5, Speed.FASTER: 3, Speed.FASTEST: 1, Speed.HAIL_TRACE: 1}
DELIVERY_DAYS = {Postage.STANDARD: (7, 14), Postage.FIRST_CLASS: (3, 5)}
# Pieces in one order from which each piece earns a credit, largest first.
_VOLUME_CREDITS = ((1000, Decimal("0.15")), (500, Decimal("0.10")), (250, Decimal("0.05")))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a quote, in dollars; `total` is quantity times rate, `tax` comes on top of it."""

    name: str
    quantity: int
    rate: Decimal
    tax: Decimal
    kind: str
    sub_kind: str
    parts: tuple["Line", ...] = ()

    @property
    def total(self) -> Decimal:
        """Quantity times rate, before tax, in dollars."""
        return self.quantity * self.rate


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order costs, and how much of it the account's prepaid balance pays."""

    lines: tuple[Line, ...]
    credits: tuple[Line, ...]
    drawn: Decimal = Decimal(0)

    @property
    def charges(self) -> Decimal:
        """The sum of the lines before tax, in dollars."""
        return _sum(line.total for line in self.lines)

    @property
    def tax(self) -> Decimal:
        """The sum of the lines' tax, in dollars."""
        return _sum(line.tax for line in self.lines)

    @property
    def credited(self) -> Decimal:
        """The sum of the discounts, in dollars."""
        return _sum(line.total for line in self.credits)

    @property
    def cost(self) -> Decimal:
        """What the order costs in dollars, however it is paid."""
        return self.charges + self.tax - self.credited

    @property
    def balance(self) -> Decimal:
        """What remains to be paid by card, in dollars."""
        return self.cost - self.drawn

    def paid_from(self, prepaid: Decimal | None) -> "Quote":
        """Return the quote as an account with this balance gets it."""
        return self if prepaid is None else replace(self, drawn=min(prepaid, self.cost))


def quote(template: Template, pieces: int, postage: Postage, speed: Speed, factor: Decimal) -> Quote:
    """Return what this many pieces cost; `factor` multiplies the rates of the list, rounded to the cent."""
    card = _line(template.product, "Base", pieces, template.price, factor)
    stamp = _line(f"{postage} postage", "Postage", pieces, POSTAGE_PRICES[postage], factor, taxed=False)
    lines = [_grouped(template.name, card, stamp)]
    if speed is not Speed.NORMAL:
        lines.append(_line(f"{speed} production", "Expedited", pieces, SPEED_PRICES[speed], factor))
    rate = next((credit for least, credit in _VOLUME_CREDITS if pieces >= least), None)
    credit = (
        () if rate is None else (Line("Volume discount", pieces, rate, Decimal(0), "Discount", "Volume"),)
    )
    return Quote(tuple(lines), credit)


def production_date(start: date, speed: Speed) -> date:
    """Return the day on which an order paid on `start` is produced."""
    return business_day_after(start, _PRODUCTION_DAYS[speed])


def delivery_dates(posted: date, postage: Postage) -> tuple[date, date]:
    """Return the first and the last day on which a piece posted on this day is expected."""
    first, last = DELIVERY_DAYS[postage]
    return business_day_after(posted, first), business_day_after(posted, last)


def _line(
    name: str, sub_kind: str, pieces: int, price: Decimal, factor: Decimal, *, taxed: bool = True
) -> Line:
    rate = _cents(price * factor)
    tax = _cents(pieces * rate * _TAX_RATE) if taxed else Decimal(0)
    return Line(name, pieces, rate, tax, "Charge", sub_kind)


def _grouped(name: str, *parts: Line) -> Line:
    rate, tax = _sum(part.rate for part in parts), _sum(part.tax for part in parts)
    return Line(name, parts[0].quantity, rate, tax, "Charge", "Order", parts)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, start=Decimal("0.00"))
