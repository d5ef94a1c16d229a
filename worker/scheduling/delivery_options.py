"""Deliver by a date: which postage and speed arrive in time and cost least, and until when that stays so.

What it goes by is the vendor's own summary (LettrLabs, Checkout Summary): a total and a latest estimated delivery for
each postage and speed, as if it were paid now. The estimates are the vendor's and promise nothing, hence a margin.
For payment on a later day they are moved on by the same number of business days; a day that the post does not
deliver on counts as the next that it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from worker.scheduling import postal_calendar

# The latest estimate of all pieces of an order still is an estimate: one more delivery day for the last of them.
MARGIN_DELIVERY_DAYS: Final = 1
# Prices are not known to be kept for longer than this; nobody approves a year ahead either.
_HORIZON: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOption:
    """What one choice costs in the vendor's currency, and its dates, as if it were paid when it was quoted."""

    postage: str
    speed: str
    hold_until: date | None
    total: Decimal
    produced: datetime | None
    delivery_min: datetime | None
    delivery_max: datetime | None

    def arrives(self, quoted_on: date, paid_on: date) -> date | None:
        """Return by when the last piece arrives if it is paid on this day; None if the vendor gave no estimate.

        A vendor's hold date stands still: what is kept until then leaves no later for being paid later.
        """
        if self.delivery_max is None:
            return None
        last = self.delivery_max.astimezone(UTC).date()
        if paid_on > quoted_on and self.hold_until is None:
            last = postal_calendar.business_day_after(
                paid_on, postal_calendar.business_days_between(quoted_on, last)
            )
        return postal_calendar.delivery_day(last)


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """All choices, quoted on one day, to be paid for on that day or a later one, to arrive by a date."""

    cells: Sequence[DeliveryOption]
    quoted_at: datetime
    paid_on: date
    deliver_by: date

    @property
    def quoted_on(self) -> date:
        """The day of the quote. The vendor's zone is not stated; its dates come in UTC."""
        return self.quoted_at.astimezone(UTC).date()

    @property
    def arrive_by(self) -> date:
        """The last day on which the latest estimate may lie: the margin before the last delivery asked for."""
        day = postal_calendar.delivery_day_before(self.deliver_by + timedelta(days=1))
        for _ in range(MARGIN_DELIVERY_DAYS):
            day = postal_calendar.delivery_day_before(day)
        return day

    def arrives(self, cell: DeliveryOption, paid_on: date | None = None) -> date | None:
        """Return by when the last piece of a choice arrives."""
        return cell.arrives(self.quoted_on, paid_on or self.paid_on)

    def meets(self, cell: DeliveryOption, paid_on: date | None = None) -> bool:
        """Return whether a choice is in time."""
        arrives = self.arrives(cell, paid_on)
        return arrives is not None and arrives <= self.arrive_by

    def choice(self, paid_on: date | None = None) -> DeliveryOption | None:
        """Return the cheapest choice that is in time, of several the one that arrives first; None if none is."""
        in_time = [cell for cell in self.cells if self.meets(cell, paid_on)]
        return min(in_time, key=lambda cell: (cell.total, self._arrival(cell)), default=None)

    def closest(self) -> DeliveryOption | None:
        """Return the choice that arrives first, of several the cheapest; None if nothing has an estimate."""
        dated = [cell for cell in self.cells if self.arrives(cell) is not None]
        return min(dated, key=lambda cell: (self._arrival(cell), cell.total), default=None)

    def would_do(self, cell: DeliveryOption) -> date:
        """Return the earliest `deliver_by` that a choice meets, the margin included."""
        day = self._arrival(cell)
        for _ in range(MARGIN_DELIVERY_DAYS):
            day = postal_calendar.delivery_day(day + timedelta(days=1))
        return day

    def _arrival(self, cell: DeliveryOption) -> date:
        return self.arrives(cell) or date.max


@dataclass(frozen=True, slots=True)
class PriceValidity:
    """Until when payment keeps the price, and what it is afterwards: None if then nothing is in time any more."""

    until: datetime
    after: Decimal | None


def price_valid_until(grid: DeliveryOptions, chosen: DeliveryOption) -> PriceValidity | None:
    """Return until when the price of a choice can be had, None if no end of it is in sight.

    Based on the quote alone: each business day of delay moves every estimate by one. On the last day that still
    does, time is up at the hour at which the vendor says production of this choice ends: later in the day the
    vendor may count from the next. Without such an hour it is up as that day begins, in UTC.
    """
    last, day = grid.paid_on, grid.paid_on
    while day < grid.paid_on + _HORIZON:
        day += timedelta(days=1)
        then = grid.choice(day)
        if then is None or then.total > chosen.total:
            cut = chosen.produced.astimezone(UTC).time() if chosen.produced else time()
            until = datetime.combine(last, cut, tzinfo=UTC)
            return PriceValidity(max(until, grid.quoted_at), None if then is None else then.total)
        last = day
    return None
