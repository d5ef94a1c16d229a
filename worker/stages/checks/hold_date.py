"""The vendor's hold date: it must lie past the day on which normal production would end."""

from datetime import UTC, date, timedelta

from lettrlabs import ProductionSpeed
from worker.job import StageJob
from worker.results import NeedsReview, Result
from worker.scheduling import postal_calendar
from worker.scheduling.schedule import ScheduleProblem


def check(work: StageJob) -> Result | None:
    """Ask for attention if LettrLabs would refuse the hold date, naming the earliest that it would not.

    The date must be later than the normal estimated production completion date (LettrLabs, Checkout Summary), which
    counts from the payment. Without that date in the summary the vendor's own word on it is awaited.
    """
    hold = work.held.vendor_hold
    if hold is None:
        return None
    normal = _normal_completion(work)
    if normal is None or hold > normal:
        return None
    earliest = normal + timedelta(days=1)
    why = (
        f"LettrLabs cannot hold it until {hold}: normal production ends on {normal}, and the earliest possible "
        f"date is {earliest}: mailrun reschedule {work.held.id} --hold-until {earliest}"
    )
    return NeedsReview(
        ScheduleProblem.HOLD_TOO_EARLY, why, {"holdUntil": hold.isoformat(), "earliest": earliest.isoformat()}
    )


def payment_day(work: StageJob) -> date:
    """Return the day, in UTC, on which a mailing will be paid for if nothing keeps it beyond its time."""
    return max(work.now(), work.held.send_at or work.now()).astimezone(UTC).date()


def _normal_completion(work: StageJob) -> date | None:
    held = work.held
    told = work.vendor.summary(held.order, postage=held.postage, production=held.speed)
    completes = told.production_dates.get(ProductionSpeed.NORMAL)
    if completes is None:
        return None
    today, paid_on = work.now().astimezone(UTC).date(), payment_day(work)
    day = completes.astimezone(UTC).date()
    if paid_on <= today:
        return day
    return postal_calendar.business_day_after(paid_on, postal_calendar.business_days_between(today, day))
