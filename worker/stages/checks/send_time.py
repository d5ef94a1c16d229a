"""Whether a mailing's time has come, and what its policy says if it has passed. Decided right before checkout."""

from datetime import datetime, timedelta

from models import IfLate
from worker.job import StageJob
from worker.results import Continue, Hold, NeedsReview, Result
from worker.scheduling.schedule import ScheduleProblem
from worker.scheduling.zoned_time import format_instant
from worker.transitions import ClaimedMailing


def check(job: StageJob) -> Result | None:
    """Return what is to be done instead of paying: wait for the time, or what the policy says of a missed one."""
    claimed, now = job.mailing, job.now()
    if claimed.send_at is None:
        return None
    when = format_instant(claimed.send_at, claimed.zone, now)
    if now < claimed.send_at:
        return Hold(claimed.send_at, f"waits for its time: {when}")
    if not is_missed(claimed, now):
        return None
    if claimed.if_late is IfLate.SKIP:
        return Continue(
            skip_reason(claimed, now), {"cancel_requested": True, "reason_code": ScheduleProblem.MISSED}
        )
    why = f"its time has passed: {when}; send it all the same, or reschedule it?"
    return NeedsReview(ScheduleProblem.MISSED, why, {"sendAt": claimed.send_at.isoformat()})


def skip_reason(claimed: ClaimedMailing, now: datetime) -> str:
    """Return why a mailing with the policy `skip` is not sent any more."""
    when = "" if claimed.send_at is None else f" ({format_instant(claimed.send_at, claimed.zone, now)})"
    return f"given up because its time has passed{when}"


def is_missed(claimed: ClaimedMailing, now: datetime) -> bool:
    """Return whether a mailing is later than it may be.

    A person who approves after the time knows that it has passed: to be asked again, it must be late since then.
    """
    if claimed.send_at is None or claimed.if_late is IfLate.SEND:
        return False
    since = claimed.send_at
    if claimed.if_late is IfLate.ASK and claimed.approved_at is not None:
        since = max(since, claimed.approved_at)
    return now > since + timedelta(seconds=claimed.late_after)
