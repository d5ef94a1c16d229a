"""What time has to say right before money moves."""

from worker import choices, holds, lateness
from worker.results import Result
from worker.work import Work


def objection(work: Work) -> Result | None:
    """Return what is to be done instead of checking out now, None if this is the time for it.

    First the mailing's own time, then whether LettrLabs would take its hold date, then whether it would still arrive.
    """
    return lateness.objection(work) or holds.objection(work) or choices.objection(work)
