"""What an order's status says about its payment. The vendor's words are not a closed list."""

from typing import Final

from lettrlabs import PAID, Order, OrderStatus
from models import Stage
from worker.job import StageJob
from worker.results import NeedsReview

_UNPAID: Final = frozenset({OrderStatus.DRAFT, OrderStatus.EDITS_NEEDED})
_FINAL: Final = frozenset({OrderStatus.REFUNDED, OrderStatus.CANCELLED, OrderStatus.ERROR})


def is_checked_out(order: Order) -> bool:
    """Return whether a checkout surely took effect: the payment is settling, or through."""
    return order.status in PAID or order.status == OrderStatus.PAYMENT_NEEDED


def is_unpaid(order: Order) -> bool:
    """Return whether the status is one from before a checkout, or after a failed payment."""
    return order.status in _UNPAID


def is_final(order: Order) -> bool:
    """Return whether the order came to an end that only a person can judge."""
    return order.status in _FINAL


def unexpected(order: Order) -> NeedsReview:
    """Ask what to make of a status that neither waits for a payment nor follows one."""
    return NeedsReview("unexpected_status", f"the order became {order.status}", {"orderStatus": order.status})


def edits_needed(job: StageJob, order: Order) -> NeedsReview:
    """Ask for the edits: no call of the API makes them, and until then the order cannot be paid for."""
    way_on = "--pay-again" if job.mailing.stage is Stage.SETTLE else "--retry"
    why = f"LettrLabs wants order {order.id} edited before it is paid for: edit it there, then {way_on}"
    return NeedsReview("edits_needed", why, {"orderId": order.id, "orderStatus": order.status})
