"""Tells a vendor that does not answer for one mailing from one that does not answer at all."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from lettrlabs import NotSent, Unavailable
from models import Stage, State, StateChange, Transition
from worker.job import StageJob

_TOO_MANY: Final = 429
# The log has no index by time: the newest moves tell whether others get on.
_NEWEST_MOVES: Final = 2000
_AHEAD: Final = (Transition.ADVANCE, Transition.RUN_AHEAD, Transition.SEND, Transition.ASK_APPROVAL)


def is_asked_for(trouble: NotSent | Unavailable) -> bool:
    """Return whether the pause is the account's: a 429, or no free slot within the rate limit."""
    status = trouble.call.status
    return status == _TOO_MANY or (status is None and trouble.retry_after is not None)


def is_of_one_mailing(job: StageJob, since: datetime) -> bool:
    """Return whether only this mailing has gone unanswered for longer than the setting allows."""
    limit = timedelta(seconds=job.settings.unanswered_seconds)
    return job.now() - since >= limit and _others_get_on(job, job.now() - limit / 4)


def _others_get_on(job: StageJob, since: datetime) -> bool:
    """Return whether another mailing has passed this one's stage since then."""
    stages = list(Stage)
    beyond = stages[stages.index(job.mailing.stage) + 1 :]
    newest = select(StateChange).order_by(StateChange.id.desc()).limit(_NEWEST_MOVES).subquery()
    passed = newest.c.stage.in_(beyond) | (newest.c.state == State.SENT)
    query = select(newest.c.id).where(
        newest.c.mailing_id != job.mailing.id, newest.c.at >= since, newest.c.move.in_(_AHEAD), passed
    )
    with job.engine.connect() as connection:
        return connection.execute(query.limit(1)).first() is not None
