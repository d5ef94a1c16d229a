"""Asks the vendor whether an order is paid for, before its mailing is given up or paid for again."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from lettrlabs import LettrLabs, Refused
from worker.billing.amounts import money
from worker.billing.reconciliation import OrderCharges, books_of
from worker.stages.vendor import order_status

_NOT_FOUND: Final = 404
# The books are only added up here, and belong to no row.
_NO_MAILING: Final = 0


def doubt(
    vendor: LettrLabs, order_id: int, written_at: datetime | None, now: datetime, window: timedelta
) -> str | None:
    """Return why an order may be paid for, None if the vendor shows that it is not. Raises Unavailable, Refused.

    The order, its people and its transactions are each enough for a doubt; so is a write that reads may still hide.
    """
    taken = _taken(vendor, order_id)
    if taken > 0:
        return f"LettrLabs shows {money(taken)} taken for order {order_id}"
    order = vendor.order(order_id)
    if order is not None and order_status.is_checked_out(order):
        return f"order {order_id} reads {order.status} at LettrLabs"
    if order is None and _has_people(vendor, order_id):
        return f"LettrLabs does not list order {order_id}, but still has people on it"
    if written_at is not None and now < written_at + window:
        return (
            f"a payment of order {order_id} may still show until {written_at + window:%Y-%m-%d %H:%M:%S} UTC"
        )
    return None


def _taken(vendor: LettrLabs, order_id: int) -> Decimal:
    books = books_of(_NO_MAILING, order_id, vendor.transactions([order_id]))
    return OrderCharges.of(books).cost


def _has_people(vendor: LettrLabs, order_id: int) -> bool:
    try:
        return bool(vendor.list_recipients(order_id, page_size=1))
    except Refused as refusal:
        if refusal.status == _NOT_FOUND:
            return False
        raise
