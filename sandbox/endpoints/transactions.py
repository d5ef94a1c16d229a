"""The money of an order after its checkout, as GET /order/transaction tells it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sandbox.clock import text
from sandbox.domain.figures import amount, credit_amount, named, prepaid_line
from sandbox.domain.orders import Checkout, Order, Taken
from sandbox.domain.prices import Line, quote
from sandbox.settings import CreditNames, Settings, TransactionIds

_NO_DETAIL = {"basePrice": 0, "doubleSided": 0, "postagePrice": 0, "extraText": 0, "expedited": 0}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One transaction: a charge, or a credit of this kind."""

    at: float
    value: Decimal
    kind: str
    sub_kind: str
    description: str
    credit: bool

    @classmethod
    def of(cls, line: Line, at: float, order: int) -> "_Entry":
        """Return the entry of a credit."""
        return cls(at, line.total, line.kind, line.sub_kind, f"{line.name} for order {order}", credit=True)


def account(order: Order, now: float, settings: Settings) -> dict[str, object]:
    """Return an order's money; `totalPrice` is what it cost in all, however it was paid, less refunds."""
    charges, refunds = order.charges(now), order.refunds(now)
    total = sum((one.amount for one in charges), Decimal(0)) - sum(
        (one.amount for one in refunds), Decimal(0)
    )
    settled = [checkout for checkout in order.checkouts if checkout.charges(now)]
    volume = len(order.people(now))
    first = settled[0] if settled else None
    entries = sorted(_entries(order, now, settings), key=lambda entry: entry.at)
    return {
        "orderId": order.id,
        "volume": volume,
        "totalPrice": amount(total, settings),
        "costPerPiece": round(float(total) / volume, 4) if volume else 0,
        "orderStatus": order.status(now),
        "paidDate": text(order.paid_at(now)),
        "isCredit": False,
        "transactionType": "Charge",
        "transactionSubType": "Order",
        "createdDate": text(first.settles_at) if first else None,
        "detail": _detail(order, first),
        "discount": dict(_NO_DETAIL),
        "transactions": [_wire(order.id, nth, entry, settings) for nth, entry in enumerate(entries)],
    }


def _entries(order: Order, now: float, settings: Settings) -> Iterator[_Entry]:
    for checkout in order.checkouts:
        for taken in checkout.charges(now):
            yield from _settlement(order, checkout, taken, settings)
    for credit, taken in order.adjustments:
        if taken.at <= now:
            kind, sub_kind = ("Credit", "Refund") if credit else ("Charge", "Adjustment")
            if credit and settings.credit_names is CreditNames.VAGUE:
                sub_kind = "Credit"
            yield _Entry(taken.at, taken.amount, kind, sub_kind, taken.description, credit)


def _settlement(order: Order, checkout: Checkout, taken: Taken, settings: Settings) -> Iterator[_Entry]:
    told = f"Charge for order {order.id}"
    yield _Entry(taken.at, checkout.charged, "Charge", "Order", told, credit=False)
    if checkout.credited:
        discount = Line("Volume discount", 1, checkout.credited, Decimal(0), "Discount", "Volume")
        yield _Entry.of(named(discount, settings), taken.at, order.id)
    if taken.drawn:
        yield _Entry.of(named(prepaid_line(taken.drawn), settings), taken.at, order.id)


def _wire(order: int, nth: int, entry: _Entry, settings: Settings) -> dict[str, object]:
    shown = credit_amount if entry.credit else amount
    return {
        "id": _number(order, nth, settings.transaction_ids),
        "orderId": order,
        "amount": shown(entry.value, settings),
        "description": entry.description,
        "createdDate": text(entry.at),
        "transactionType": entry.kind,
        "transactionSubType": entry.sub_kind,
        "isCredit": entry.credit,
    }


def _number(order: int, nth: int, ids: TransactionIds) -> int:
    match ids:
        case TransactionIds.UNIQUE:
            return order * 100 + nth
        case TransactionIds.PER_ORDER:
            return nth + 1
        case TransactionIds.SAME:
            return 1


def _detail(order: Order, checkout: Checkout | None) -> dict[str, object]:
    if checkout is None:
        return dict(_NO_DETAIL)
    pieces = len(order.recipients)
    card, *speed = quote(order.template, pieces, checkout.postage, checkout.speed, order.factor).lines
    base, postage = card.parts
    return {
        **_NO_DETAIL,
        "basePrice": float(base.total),
        "postagePrice": float(postage.total),
        "expedited": float(speed[0].total) if speed else 0,
    }
