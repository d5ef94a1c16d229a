"""Settle: wait until the payment has gone through, and write down what was taken. LettrLabs sends no webhooks."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection, insert

from lettrlabs import Order, OrderStatus, Transaction
from models import Charge
from worker.results import AskPerson, Result, Sent, Wait
from worker.work import Work

_PAID = frozenset(
    {
        OrderStatus.PAID,
        OrderStatus.READY_FOR_PRODUCTION,
        OrderStatus.IN_PRODUCTION,
        OrderStatus.IN_QA,
        OrderStatus.IN_SHIPPING,
        OrderStatus.MAILED,
    }
)
_LONGEST_POLL = 300.0


def run(work: Work) -> Result:
    """Look once at the order: paid, still settling, or back in Draft because the payment failed."""
    order = work.vendor.order(work.held.order)
    if order is None:
        return _ask("order_gone", f"order {work.held.order} is not at LettrLabs any more", None)
    if order.status in _PAID:
        return _paid(work, order)
    if order.status == OrderStatus.PAYMENT_NEEDED:
        return Wait(_pause(work), "the payment is settling")
    if order.status == OrderStatus.DRAFT:
        return _ask("payment_failed", "the payment failed: LettrLabs put the order back to Draft", order)
    return _ask("unexpected_status", f"the order became {order.status}", order)


# A read leaves nothing behind to find out about.
recover = run


def _paid(work: Work, order: Order) -> Result:
    moves = [move for told in work.vendor.transactions([work.held.order]) for move in told.transactions]
    charged = sum((-move.amount if move.is_credit else move.amount for move in moves), Decimal(0))

    def record(connection: Connection) -> None:
        if moves:
            connection.execute(insert(Charge), _rows(work.held.id, moves))

    return Sent({"order_status": order.status, "charged": charged if moves else None}, record)


def _rows(mailing_id: int, moves: Sequence[Transaction]) -> list[dict[str, object]]:
    return [
        {
            "mailing_id": mailing_id,
            "vendor_id": move.id,
            "amount": move.amount,
            "is_credit": bool(move.is_credit),
            "description": move.description,
            "made_at": move.created_date,
        }
        for move in moves
    ]


def _pause(work: Work) -> float:
    growing: float = work.settings.poll_seconds * 1.5 ** min(work.held.waits, 12)
    return min(growing, max(_LONGEST_POLL, work.settings.poll_seconds))


def _ask(code: str, why: str, order: Order | None) -> AskPerson:
    return AskPerson(code, why, {"orderStatus": None if order is None else order.status})
