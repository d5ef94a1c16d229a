"""What becomes of each piece after it was posted, as far as the sandbox clock has come."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from zlib import crc32

from sandbox.clock import moment, text
from sandbox.domain.business_days import business_day_after, close_of
from sandbox.domain.orders import Checkout, Order
from sandbox.domain.prices import DELIVERY_DAYS


class Delivery(StrEnum):
    """States of a piece, in the vendor's words."""

    WAITING = "Waiting on USPS Info"
    MAILED = "Mailed"
    IN_TRANSIT = "In Transit"
    LOCAL = "At Local Facility"
    UNDELIVERABLE = "Undeliverable"
    DELIVERED = "Delivered"
    NO_TRACKING = "No Tracking Available"


# Of every fifty pieces about one comes back and one is never seen by a scanner; the id decides which.
_OUT_OF = 50
_COMES_BACK = 7
_IS_NEVER_SEEN = 11


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """How many pieces of an order are in each state."""

    pieces: int
    of: Counter[str]

    def wire(self) -> dict[str, object]:
        """Return the four counts that GET /order shows."""
        return {
            "mailed": self.of[Delivery.MAILED],
            "inTransit": self.of[Delivery.IN_TRANSIT],
            "atLocalFacility": self.of[Delivery.LOCAL],
            "delivered": self.of[Delivery.DELIVERED],
        }


def delivery_of(recipient: int, order: Order, now: float) -> tuple[str, str | None]:
    """Return the state of one piece and, as the API writes it, since when."""
    checkout, mailed_at = order.checkout(now), order.mailed_at(now)
    if checkout is None or mailed_at is None:
        return Delivery.WAITING, None
    past = [(begins, state) for begins, state in _journey(recipient, checkout, mailed_at) if begins <= now]
    begins, state = past[-1]
    return state, text(begins)


def delivery_counts(order: Order, now: float) -> DeliveryCounts:
    """Return how far the pieces of an order are."""
    people = order.people(now)
    if order.mailed_at(now) is None:
        return DeliveryCounts(len(people), Counter({Delivery.WAITING: len(people)}))
    return DeliveryCounts(len(people), Counter(delivery_of(one.id, order, now)[0] for one in people))


def _journey(recipient: int, checkout: Checkout, mailed_at: float) -> list[tuple[float, Delivery]]:
    lot = crc32(str(recipient).encode())
    if lot % _OUT_OF == _IS_NEVER_SEEN:
        return [(mailed_at, Delivery.NO_TRACKING)]
    first, last = DELIVERY_DAYS[checkout.postage]
    days = first + lot // _OUT_OF % (last - first + 1)
    posted = moment(mailed_at).date()
    end = Delivery.UNDELIVERABLE if lot % _OUT_OF == _COMES_BACK else Delivery.DELIVERED
    return [
        (mailed_at, Delivery.MAILED),
        (close_of(business_day_after(posted, 1)), Delivery.IN_TRANSIT),
        (close_of(business_day_after(posted, days - 1)), Delivery.LOCAL),
        (close_of(business_day_after(posted, days)), end),
    ]
