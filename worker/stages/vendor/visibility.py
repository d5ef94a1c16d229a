"""Absence is not evidence: what a read of the vendor does not show may not be visible yet.

A read that shows everything needs no wait. A read that does not is repeated, and its absence counts only once every
look of a whole window has shown it and this mailing wrote nothing to the vendor meanwhile. The window is the
settlement window where a checkout may have happened, the visibility window everywhere else.
"""

from datetime import datetime, timedelta
from typing import Final

from worker.job import StageJob
from worker.results import Wait

_SHORTEST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 300.0


def wait(job: StageJob, why: str) -> Wait | None:
    """Return a wait while what a read did not show may still appear, None once its absence is evidence."""
    since, window = _missing_since(job), _window(job)
    now = job.now()
    left = (since + window - now).total_seconds()
    if left <= 0:
        return None
    # The looks are as far apart as the absence is old: most reads are only a moment late.
    age = (now - since).total_seconds()
    return Wait(min(max(age, _SHORTEST_PAUSE), _LONGEST_PAUSE, left), why, missing_since=since)


def _missing_since(job: StageJob) -> datetime:
    """Return the time of the first look in a row that did not show it: now, if this mailing has written since."""
    since, written = job.mailing.missing_since, job.mailing.order_written_at
    if since is None or job.has_written or (written is not None and since < written):
        return job.now()
    return since


def _window(job: StageJob) -> timedelta:
    settings = job.settings
    if job.mailing.may_be_checked_out:
        return timedelta(seconds=settings.settlement_window_seconds)
    return timedelta(seconds=settings.visibility_window_seconds)
