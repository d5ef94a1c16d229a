"""Asking the vendor before a mailing is given up, or paid again, whose order may have been paid for."""

from datetime import timedelta
from typing import Final

from console.errors import CommandError
from console.explanations import refusal
from console.queries.actions import CANCEL
from console.queries.attention import Asking
from console.session import Session, knows_vendor
from console.vendor_check import quick_vendor
from lettrlabs import Refused, Unavailable
from models import Stage
from worker.clock import system_clock
from worker.stages.vendor import payments
from worker.transitions import Resolution

_SAYS_UNPAID: Final = frozenset({Resolution.PAY_AGAIN, Resolution.FAILED, CANCEL})


def require_unpaid(session: Session, one: Asking, way: str) -> None:
    """Raise Complaint if LettrLabs shows a payment of the order, may still show one, or does not answer."""
    if way not in _SAYS_UNPAID or one.order_id is None or not _may_be_paid(one, way):
        return
    doubt = _doubt(session, one, one.order_id)
    if doubt is not None:
        raise CommandError(
            f"{doubt}: nothing was changed; --retry looks again, --sent writes down that it is paid"
        )


def _doubt(session: Session, one: Asking, order_id: int) -> str | None:
    if not knows_vendor(session.settings):
        raise CommandError(
            f"whether order {order_id} is paid for cannot be asked: start `mailrun up`, then try again"
        )
    window = timedelta(seconds=session.settings.settlement_window_seconds)
    with quick_vendor(session.settings) as vendor:
        try:
            return payments.doubt(vendor, order_id, one.order_written_at, system_clock(), window)
        except Unavailable as trouble:
            why = f"LettrLabs could not say whether order {order_id} is paid for ({trouble.why})"
            raise CommandError(f"{why}: nothing was changed; try again when it answers") from None
        except Refused as refused:
            raise CommandError(f"{refusal(refused)}; nothing was changed") from None


def _may_be_paid(one: Asking, way: str) -> bool:
    """Return whether a checkout may have happened. What a worker cancels before one, it looks at itself."""
    at_checkout = one.stage is Stage.CHECKOUT and (one.recovering or way != CANCEL)
    return one.stage is Stage.SETTLE or at_checkout
