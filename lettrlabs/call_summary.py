"""What evidence may tell of an answer: counts, states and money, never a person."""

from collections.abc import Mapping
from decimal import Decimal
from functools import singledispatch
from hashlib import sha256

from lettrlabs.outcomes import Scalar
from lettrlabs.wire.orders import OrderPage
from lettrlabs.wire.quotes import Checkout, Quote
from lettrlabs.wire.recipients import AppendResult, RecipientPage
from lettrlabs.wire.reports import TransactionReport


@singledispatch
def told_of(_: object) -> Mapping[str, Scalar]:
    """Return a JSON-able summary of a parsed answer; empty where there is nothing worth telling."""
    return {}


@told_of.register
def _(proof: bytes) -> Mapping[str, Scalar]:
    return {"sha256": sha256(proof).hexdigest(), "bytes": len(proof)}


@told_of.register
def _(page: OrderPage) -> Mapping[str, Scalar]:
    if len(page.orders) != 1:
        return {"orders": len(page.orders)}
    (one,) = page.orders
    return {"order_status": one.status, "postage": one.postage_type, "speed": one.production_speed}


@told_of.register
def _(page: RecipientPage) -> Mapping[str, Scalar]:
    return {"recipients": len(page.recipients)}


@told_of.register
def _(result: AppendResult) -> Mapping[str, Scalar]:
    return {"accepted": result.total, "submitted": result.submitted}


@told_of.register
def _(quote: Quote) -> Mapping[str, Scalar]:
    return {
        "charges": _digits(quote.total_charges),
        "tax": _digits(quote.total_tax),
        "credits": _digits(quote.total_credits),
        "balance": _digits(quote.balance),
    }


def _digits(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


@told_of.register
def _(checkout: Checkout) -> Mapping[str, Scalar]:
    return {"order_status": checkout.order_status}


@told_of.register
def _(report: TransactionReport) -> Mapping[str, Scalar]:
    moves = [move for order in report.orders for move in order.transactions]
    stated = [(move.amount, move.is_credit) for move in moves if move.amount is not None]
    taken = sum((-abs(amount) if is_credit else amount for amount, is_credit in stated), Decimal(0))
    return {"transactions": len(moves), "taken": str(taken)}
