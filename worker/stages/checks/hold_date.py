"""The vendor's hold date: it must lie past the day on which normal production would end."""

from datetime import UTC, date, timedelta

from lettrlabs import ProductionSpeed
from worker.job import StageJob
from worker.results import NeedsReview, Result
from worker.scheduling import postal_calendar
from worker.scheduling.schedule import ScheduleProblem


def check(job: StageJob) -> Result | None:
    """Ask for attention if LettrLabs would refuse the hold date, naming the earliest that it would not.

    The date must be later than the normal estimated production completion date (LettrLabs, Checkout Summary), which
    counts from the payment. Without that date in the summary the vendor's own word on it is awaited.
    """
    hold = job.mailing.vendor_hold
    if hold is None:
        return None
    normal = _normal_completion(job)
    if normal is None or hold > normal:
        return None
    earliest = normal + timedelta(days=1)
    why = (
        f"LettrLabs cannot hold it until {hold}: normal production ends on {normal}, and the earliest possible "
        f"date is {earliest}: mailrun reschedule {job.mailing.id} --hold-until {earliest}"
    )
    return NeedsReview(
        ScheduleProblem.HOLD_TOO_EARLY, why, {"holdUntil": hold.isoformat(), "earliest": earliest.isoformat()}
    )


def payment_day(job: StageJob) -> date:
    """Return the day, in UTC, on which a mailing will be paid for if nothing keeps it beyond its time."""
    return max(job.now(), job.mailing.send_at or job.now()).astimezone(UTC).date()


def _normal_completion(job: StageJob) -> date | None:
    claimed = job.mailing
    told = job.vendor.summary(claimed.order, postage=claimed.postage, production=claimed.speed)
    completes = told.production_dates.get(ProductionSpeed.NORMAL)
    if completes is None:
        return None
    today, paid_on = job.now().astimezone(UTC).date(), payment_day(job)
    day = completes.astimezone(UTC).date()
    if paid_on <= today:
        return day
    return postal_calendar.business_day_after(paid_on, postal_calendar.business_days_between(today, day))
