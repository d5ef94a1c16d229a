"""Whether a mailing's time has come, and what its policy says if it has passed. Decided right before checkout."""

from datetime import datetime, timedelta

from models import IfLate
from worker.job import StageJob
from worker.results import Continue, Hold, NeedsReview, Result
from worker.scheduling.schedule import ScheduleProblem
from worker.scheduling.zoned_time import format_instant
from worker.transitions import ClaimedMailing


def check(work: StageJob) -> Result | None:
    """Return what is to be done instead of paying: wait for the time, or what the policy says of a missed one."""
    held, now = work.held, work.now()
    if held.send_at is None:
        return None
    when = format_instant(held.send_at, held.zone, now)
    if now < held.send_at:
        return Hold(held.send_at, f"waits for its time: {when}")
    if not is_missed(held, now):
        return None
    if held.if_late is IfLate.SKIP:
        return Continue(
            skip_reason(held, now), {"cancel_requested": True, "reason_code": ScheduleProblem.MISSED}
        )
    why = f"its time has passed: {when}; send it all the same, or reschedule it?"
    return NeedsReview(ScheduleProblem.MISSED, why, {"sendAt": held.send_at.isoformat()})


def skip_reason(held: ClaimedMailing, now: datetime) -> str:
    """Return why a mailing with the policy `skip` is not sent any more."""
    when = "" if held.send_at is None else f" ({format_instant(held.send_at, held.zone, now)})"
    return f"given up because its time has passed{when}"


def is_missed(held: ClaimedMailing, now: datetime) -> bool:
    """Return whether a mailing is later than it may be.

    A person who approves after the time knows that it has passed: to be asked again, it must be late since then.
    """
    if held.send_at is None or held.if_late is IfLate.SEND:
        return False
    since = held.send_at
    if held.if_late is IfLate.ASK and held.approved_at is not None:
        since = max(since, held.approved_at)
    return now > since + timedelta(seconds=held.late_after)
