"""Money as the API writes it, which the settings make awkward."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from sandbox.domain.prices import Line, Quote
from sandbox.settings import CreditNames, CreditSign, NullAmounts, Settings

_NOISE = Decimal("0.00001")
_ALMOST_NOTHING = 4e-17  # a zero as floating-point sums leave it
_NO_AMOUNTS = {NullAmounts.AMOUNTS, NullAmounts.ALL}
_NO_LINES = {NullAmounts.LINES, NullAmounts.ALL}


def money(priced: Quote, settings: Settings) -> dict[str, object]:
    """Return the lines, credits and totals of a summary."""
    figures = _Figures(settings, without=settings.null_amounts in _NO_AMOUNTS)
    with_lines = settings.null_amounts not in _NO_LINES
    charges = priced.charges + (priced.tax if settings.tax_inside_lines else 0)
    return {
        "lineItems": figures.lines(priced.lines) if with_lines else None,
        "credits": figures.credits(priced) if with_lines else None,
        "totalCharges": figures.amount(charges),
        "totalTax": figures.amount(priced.tax),
        "totalCredits": figures.amount(figures.sign * (priced.credited + priced.drawn)),
        "balance": figures.amount(priced.balance),
    }


def amount(value: Decimal, settings: Settings) -> float:
    """Return an amount as a JSON number: of two decimals, unless the vendor writes more."""
    if not settings.extra_decimals:
        return float(value)
    return float(value + _NOISE) if value else _ALMOST_NOTHING


def credit_amount(value: Decimal, settings: Settings) -> float:
    """Return the amount of a credit, with the sign the vendor gives it."""
    return amount(_sign(settings) * value, settings)


def prepaid_line(drawn: Decimal) -> Line:
    """Return the credit by which the prepaid balance pays."""
    return Line("Account credit", 1, drawn, Decimal(0), "Credit", "Prepaid")


def named(line: Line, settings: Settings) -> Line:
    """Return a credit under the name that the vendor gives it."""
    if settings.credit_names is CreditNames.CLEAR:
        return line
    return replace(line, name="Credit", kind="Credit", sub_kind="Credit")


def _sign(settings: Settings) -> int:
    return -1 if settings.credit_sign is CreditSign.NEGATIVE else 1


@dataclass(frozen=True, slots=True)
class _Figures:
    settings: Settings
    without: bool

    @property
    def sign(self) -> int:
        return _sign(self.settings)

    def amount(self, value: Decimal) -> float | None:
        return None if self.without else amount(value, self.settings)

    def lines(self, lines: Iterable[Line]) -> list[dict[str, object]]:
        return [self._line(line, 1) for line in lines]

    def credits(self, priced: Quote) -> list[dict[str, object]]:
        lines = [*priced.credits, *([prepaid_line(priced.drawn)] if priced.drawn else [])]
        return [self._line(named(line, self.settings), self.sign) for line in lines]

    def _line(self, line: Line, sign: int) -> dict[str, object]:
        parts = line.parts if self.settings.sub_items_add_up else line.parts[:-1]
        inside = line.tax if self.settings.tax_inside_lines else Decimal(0)
        return {
            "tax": self.amount(line.tax),
            "name": line.name,
            "quantity": line.quantity,
            "rate": self.amount(sign * line.rate),
            "total": self.amount(sign * line.total + inside),
            "transactionType": line.kind,
            "transactionSubType": line.sub_kind,
            "subItems": [self._line(part, sign) for part in parts],
        }
