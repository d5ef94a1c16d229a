"""Committing what several mailings came to: in one transaction, or, if one stands in the way, each in its own."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from psycopg.errors import DeadlockDetected, UniqueViolation
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from models import Stage
from worker import transitions
from worker.billing.budgets import OVER_BUDGET, OverBudget
from worker.group_commit import BatchCommitError, CommitTerms
from worker.job import ClaimLost, StageJob
from worker.results import (
    Advance,
    ClaimConflictError,
    Continue,
    NeedsApproval,
    Proceed,
    Result,
    Wait,
    nothing,
)
from worker.stages import create
from worker.transitions import ClaimedMailing, PendingTransition, TransitionTimes

log = logging.getLogger(__name__)

_CONTESTED_PAUSE: Final = 1.0
# Somebody's lock on one mailing must not hold up what other threads came to.
_SHORT_LOCKS: Final = "SET LOCAL lock_timeout = '500ms'"


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """What a mailing came to; ``ahead`` says whether, when that was committed, it was to go on at once."""

    job: StageJob
    result: Result
    ahead: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether this worker does what comes next, under the same claim."""
        match self.result:
            case Advance(to):
                return self.ahead and to is not Stage.SETTLE
            case Continue() | Proceed():
                return True
            case _:
                return False

    @property
    def is_for_the_chain(self) -> bool:
        """Whether the chain's next message does what comes next."""
        return isinstance(self.result, Advance) and self.result.to is not Stage.SETTLE and not self.ahead


def commit(done: Sequence[StageOutcome], *, ahead: bool, shared: bool = True) -> list[StageOutcome]:
    """Commit what several came to; if one stands in the way, each by itself. Returns those whose claims held.

    If it may be `shared`, what other threads of the process came to meanwhile is in the same commit; if that fails,
    each thread commits its own.
    """
    if not done:
        return []
    try:
        after = _grouped(done, ahead=ahead) if shared else _made(done, CommitTerms(ahead))
    except BatchCommitError as failure:
        if isinstance(failure.why, DBAPIError) and failure.why.connection_invalidated:
            # Whether it was committed is not known.
            raise failure.why from None
        return commit(done, ahead=ahead, shared=False)
    except (ClaimConflictError, OverBudget, DataError, IntegrityError) as trouble:
        if len(done) == 1:
            return _fallback(done[0], trouble, ahead=ahead)
    except OperationalError as error:
        if len(done) == 1 or not isinstance(error.orig, DeadlockDetected):
            raise
    else:
        return _committed(done, after, ahead=ahead)
    return [kept for one in done for kept in commit([one], ahead=ahead, shared=False)]


def _grouped(done: Sequence[StageOutcome], *, ahead: bool) -> Mapping[int, ClaimedMailing]:
    commits = done[0].job.context.commits
    return commits.commit({one.job.mailing.id: one for one in done}, _made, ahead=ahead)


def _fallback(one: StageOutcome, trouble: Exception, *, ahead: bool) -> list[StageOutcome]:
    """Commit what a mailing comes to if what it came to does not fit what is there."""
    match trouble:
        case ClaimConflictError():
            instead: Result = Wait(_CONTESTED_PAUSE, "somebody else decided about the order first")
        case OverBudget():
            instead = _over_budget(one.result, trouble)
        case _:
            log_database_error(one.job, trouble)
            return []
    other = [replace(one, result=instead)]
    return _committed(other, _made(other, CommitTerms(ahead)), ahead=ahead)


def _over_budget(result: Result, over: OverBudget) -> Result:
    if isinstance(result, Advance):
        return replace(result, ahead=nothing)
    return NeedsApproval({"reason_code": OVER_BUDGET}, why=str(over))


def _made(done: Sequence[StageOutcome], terms: CommitTerms) -> Mapping[int, ClaimedMailing]:
    """Make the moves in one transaction; returns those whose claims held, by id. Raises Contested, OverBudget."""
    context = done[0].job.context
    retry = timedelta(seconds=context.settings.retry_seconds)
    times = TransitionTimes(context.lease, context.redispatch_after, retry, terms.ahead)
    for one in done:
        # What is not committed is not reserved, and what was before is behind.
        one.job.snapshot.reserved_at = None
    makings = [PendingTransition(one.job.mailing, one.result, one.job.calls) for one in done]
    try:
        with context.engine.begin() as connection:
            if terms.shared:
                connection.exec_driver_sql(_SHORT_LOCKS)
            return transitions.apply_results(connection, makings, context.clock(), times)
    except IntegrityError as error:
        if _names(error, "uq_mailing_order_id"):
            raise ClaimConflictError from None
        raise


def _committed(
    done: Sequence[StageOutcome], after: Mapping[int, ClaimedMailing], *, ahead: bool
) -> list[StageOutcome]:
    return [replace(one, ahead=ahead) for one in done if _claim_valid(one, after.get(one.job.mailing.id))]


def _claim_valid(one: StageOutcome, after: ClaimedMailing | None) -> bool:
    job = one.job
    try:
        job.apply_committed(after)
    except ClaimLost:
        if job.mailing.stage is Stage.CREATE and isinstance(one.result, Advance):
            create.delete_late_order(job, one.result.values["order_id"])
        job.save_calls()
        return False
    return True


def _names(error: IntegrityError, constraint: str) -> bool:
    return isinstance(error.orig, UniqueViolation) and error.orig.diag.constraint_name == constraint


def log_database_error(job: StageJob, error: Exception) -> None:
    """Tell what the database refuses of one mailing: its claim runs out, it is tried again, and keeps no other."""
    log.error("database_trouble: mailing %s, %s: %s", job.mailing.id, job.mailing.stage, type(error).__name__)
