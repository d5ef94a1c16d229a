"""Whether a mailing's time has come, and what its policy says if it has passed. Decided right before checkout."""

from datetime import datetime, timedelta

from models import IfLate
from worker.job import Work
from worker.results import Again, AskPerson, Hold, Result
from worker.scheduling.schedule import TimeTrouble
from worker.scheduling.zoned_time import said
from worker.transitions import Held


def objection(work: Work) -> Result | None:
    """Return what is to be done instead of paying: wait for the time, or what the policy says of a missed one."""
    held, now = work.held, work.now()
    if held.send_at is None:
        return None
    when = said(held.send_at, held.zone, now)
    if now < held.send_at:
        return Hold(held.send_at, f"waits for its time: {when}")
    if not is_missed(held, now):
        return None
    if held.if_late is IfLate.SKIP:
        return Again(given_up(held, now), {"cancel_requested": True, "reason_code": TimeTrouble.MISSED})
    why = f"its time has passed: {when}; send it all the same, or reschedule it?"
    return AskPerson(TimeTrouble.MISSED, why, {"sendAt": held.send_at.isoformat()})


def given_up(held: Held, now: datetime) -> str:
    """Return why a mailing with the policy `skip` is not sent any more."""
    when = "" if held.send_at is None else f" ({said(held.send_at, held.zone, now)})"
    return f"given up because its time has passed{when}"


def is_missed(held: Held, now: datetime) -> bool:
    """Return whether a mailing is later than it may be.

    A person who approves after the time knows that it has passed: to be asked again, it must be late since then.
    """
    if held.send_at is None or held.if_late is IfLate.SEND:
        return False
    since = held.send_at
    if held.if_late is IfLate.ASK and held.approved_at is not None:
        since = max(since, held.approved_at)
    return now > since + timedelta(seconds=held.late_after)
