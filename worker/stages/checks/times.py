"""What time has to say right before money moves."""

from worker.job import StageJob
from worker.results import Result
from worker.stages import delivery_choice
from worker.stages.checks import hold_date, send_time


def check(job: StageJob) -> Result | None:
    """Return what is to be done instead of checking out now, None if this is the time for it.

    First the mailing's own time, then whether LettrLabs would take its hold date, then whether it would still arrive.
    """
    return send_time.check(job) or hold_date.check(job) or delivery_choice.check(job)
