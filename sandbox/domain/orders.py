"""One order: what was done to it, and what follows from that at any moment."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from sandbox.clock import moment
from sandbox.domain.business_days import close_of
from sandbox.domain.enums import Postage, Speed
from sandbox.domain.prices import production_date
from sandbox.domain.recipients import Recipient
from sandbox.domain.templates import TEMPLATES, Template
from sandbox.events import Outcome


class Status(StrEnum):
    """States of an order that this sandbox brings about or acts on, in the vendor's words."""

    DRAFT = "Draft"
    EDITS_NEEDED = "Edits Needed"
    PAYMENT_NEEDED = "Payment Needed"
    PAID = "Paid"
    READY = "Ready For Production"
    IN_PRODUCTION = "In Production"
    IN_QA = "In QA"
    IN_SHIPPING = "InShipping"
    MAILED = "Mailed"


# The part of the time between payment and mailing after which each state begins.
_PROGRESS = (
    (0.00, Status.PAID),
    (0.10, Status.READY),
    (0.25, Status.IN_PRODUCTION),
    (0.75, Status.IN_QA),
    (0.90, Status.IN_SHIPPING),
    (1.00, Status.MAILED),
)


class Taken(NamedTuple):
    """Dollars taken for an order at this time, or given back; `drawn` of them from the prepaid balance."""

    at: float
    amount: Decimal
    drawn: Decimal = Decimal(0)
    description: str = ""


@dataclass(frozen=True, slots=True)
class Checkout:
    """One accepted checkout; `charged` is before the discounts in `credited` are taken off, both in dollars."""

    at: float
    settles_at: float
    outcome: Outcome
    charged: Decimal
    credited: Decimal
    postage: Postage
    speed: Speed
    hold: date | None
    auto_bill: bool
    drawn: Decimal

    @property
    def due(self) -> Decimal:
        """What one settlement costs in dollars, however it is paid."""
        return self.charged - self.credited

    def paid_at(self, now: float) -> float | None:
        """Return when this was paid, or None if it is not, or not yet."""
        return None if self.outcome is Outcome.DECLINED or now < self.settles_at else self.settles_at

    def charges(self, now: float) -> list[Taken]:
        """Return when and how much money this took: once, unless it settled twice."""
        if self.paid_at(now) is None:
            return []
        times = 2 if self.outcome is Outcome.PAID_TWICE else 1
        return [Taken(self.settles_at, self.due, self.drawn)] * times

    def mailed_at(self) -> float:
        """Return when production of a paid order is over and it goes to the post."""
        produced = production_date(moment(self.settles_at).date(), self.speed)
        return close_of(max(produced, self.hold or produced))


class StatusChange(NamedTuple):
    """A status that the vendor's support gave; None ends the one before."""

    at: float
    status: str | None


@dataclass(slots=True)
class Order:
    """An order of one design; what it costs is the price list times `factor`."""

    id: int
    template_id: int
    created_at: float
    deleted_at: float | None = None
    recipients: dict[int, Recipient] = field(default_factory=dict)
    removed: list[tuple[float, Recipient]] = field(default_factory=list)
    checkouts: list[Checkout] = field(default_factory=list)
    factor: Decimal = Decimal(1)
    changes: list[StatusChange] = field(default_factory=list)
    adjustments: list[tuple[bool, Taken]] = field(default_factory=list)

    @property
    def template(self) -> Template:
        """The design."""
        return TEMPLATES[self.template_id]

    def existed(self, at: float) -> bool:
        """Return whether the order was made by then, and not yet deleted."""
        return self.created_at <= at and (self.deleted_at is None or self.deleted_at > at)

    def people(self, at: float) -> list[Recipient]:
        """Return the people who were on the order at this time."""
        gone = [one for until, one in self.removed if one.since <= at < until]
        return gone + [one for one in self.recipients.values() if one.since <= at]

    def attach(self, people: Iterable[Recipient]) -> None:
        """Add these people."""
        self.recipients.update((one.id, one) for one in people)

    def remove(self, ids: Iterable[int], at: float) -> None:
        """Take these people off, and remember until when they were on."""
        self.removed += [(at, self.recipients.pop(number)) for number in ids]

    def checkout(self, now: float) -> Checkout | None:
        """Return the checkout that stands: settled, or still settling; a declined one no longer does."""
        last = next((one for one in reversed(self.checkouts) if one.at <= now), None)
        if last is not None and last.outcome is Outcome.DECLINED and now >= last.settles_at:
            return None
        return last

    def paid_at(self, now: float) -> float | None:
        """Return when the order was paid, or None."""
        checkout = self.checkout(now)
        return None if checkout is None else checkout.paid_at(now)

    def mailed_at(self, now: float) -> float | None:
        """Return when the order went to the post, or None if it has not yet."""
        change, checkout = self.change(now), self.checkout(now)
        if change is not None and change.status == Status.MAILED:
            return change.at
        if checkout is None or checkout.paid_at(now) is None:
            return None
        mailed = checkout.mailed_at()
        return mailed if mailed <= (now if change is None else change.at) else None

    def change(self, now: float) -> StatusChange | None:
        """Return what support last made of the order, unless that is over or a checkout came after it."""
        last = next((one for one in reversed(self.changes) if one.at <= now), None)
        if last is None or last.status is None:
            return None
        checkout = self.checkout(now)
        return None if checkout is not None and checkout.at > last.at else last

    def editable(self, now: float) -> bool:
        """Return whether people may be added and removed, and the order deleted."""
        return self.status(now) in (Status.DRAFT, Status.EDITS_NEEDED)

    def status(self, now: float) -> str:
        """Return the state the API shows at this sandbox time."""
        change, checkout = self.change(now), self.checkout(now)
        if change is not None and change.status is not None:
            return change.status
        if checkout is None:
            return Status.DRAFT
        paid_at = checkout.paid_at(now)
        if paid_at is None:
            return Status.PAYMENT_NEEDED
        done = (now - paid_at) / (checkout.mailed_at() - paid_at)
        return [status for begins, status in _PROGRESS if begins <= done][-1]

    def charges(self, now: float) -> list[Taken]:
        """Return each time money was taken for this order."""
        settled = [charge for checkout in self.checkouts for charge in checkout.charges(now)]
        return settled + [taken for credit, taken in self.adjustments if not credit and taken.at <= now]

    def refunds(self, now: float) -> list[Taken]:
        """Return each time money was given back."""
        return [taken for credit, taken in self.adjustments if credit and taken.at <= now]
