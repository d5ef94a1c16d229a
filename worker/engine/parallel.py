"""Several mailings side by side: each does a stage, one commit keeps what they came to, and they go on.

A commit costs the database and the worker as much as a call costs a fast vendor, so several mailings share one. What
is not committed yet would have to be found out after a crash: that is a second's work at most, and the calls
that are under way. A slow vendor is asked for several of them at the same time.
"""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from enum import Enum
from typing import Final, TypeAlias

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from models import Stage
from worker.context import CALL_POOL_SIZE, MESSAGE_THREADS
from worker.engine.committer import StageOutcome, commit, log_database_error
from worker.engine.run_budget import RunBudget
from worker.engine.runner import run_stage
from worker.job import ClaimLost, StageJob
from worker.results import Proceed, Wait
from worker.stages import recipient_pages

_UNCOMMITTED_SECONDS: Final = 0.4
# Those who were asked at the same time answer at almost the same time.
_GATHERING_SECONDS: Final = 0.02
# How many of a message wait together. With that, twice as many as call at once: while one commits, another calls.
_WIDTH: Final = 2 * CALL_POOL_SIZE // MESSAGE_THREADS
_GIVEN_BACK: Final = Wait(0.0, "its worker had no time for it")


class ChainAction(Enum):
    """What the chain's remaining messages are good for."""

    GO_ON = "the next message continues"
    NOTHING = "nothing is left for them to do"


Turn: TypeAlias = Future[list[StageOutcome]]


def go_on(works: Sequence[StageJob], pace: RunBudget, started: float) -> ChainAction:
    """Do a stage of each mailing and commit them together; go on with those that ran ahead, until none is left."""
    ends = ChainAction.NOTHING
    going = list(works)
    while going:
        if pace.is_slow and len(going) > 1:
            done, going = _AtTheSameTime(going, pace, started).ends(), []
        else:
            done, going = _in_turn(going, pace, started)
        going += [one.job for one in done if one.goes_on]
        if any(one.is_for_the_chain for one in done):
            ends = ChainAction.GO_ON
    return ends


def _in_turn(
    works: list[StageJob], pace: RunBudget, started: float
) -> tuple[list[StageOutcome], list[StageJob]]:
    """Have one mailing after the other do what comes next; returns what they came to, and those that did not begin.

    These are none, unless the vendor turns out to be slow.
    """
    recipient_pages.prefetch([job for job in works if job.mailing.stage is Stage.ATTACH])
    waiting: list[StageOutcome] = []
    committed: list[StageOutcome] = []
    left, since = list(works), time.monotonic()
    while left and not (committed and pace.is_slow):
        job = left.pop(0)
        if len(left) < len(works) - 1 and pace.stopping:
            # Each could take as long as a worker is given to stop.
            waiting.append(StageOutcome(job, _GIVEN_BACK))
            continue
        try:
            waiting += _turn(job, pace)
        except SQLAlchemyError:
            commit(waiting, ahead=False)
            raise
        cannot_wait = _cannot_wait(job)
        if cannot_wait or time.monotonic() - since > _UNCOMMITTED_SECONDS:
            committed += commit(waiting, ahead=pace.allows(started), shared=not cannot_wait)
            waiting, since = [], time.monotonic()
    return [*committed, *commit(waiting, ahead=pace.allows(started))], left


class _AtTheSameTime:
    """Several mailings that wait for the vendor together, each doing what comes next as soon as the last is kept."""

    def __init__(self, works: Sequence[StageJob], pace: RunBudget, started: float) -> None:
        self._left = list(works)
        self._pace = pace
        self._started = started
        self._pool = works[0].context.call_pool
        self._pending: set[Turn] = set()
        # After it nothing more is begun; the calls that are under way end, and what they come to is written down.
        self._trouble: BaseException | None = None

    def ends(self) -> list[StageOutcome]:
        """Go on with each until it rests; returns what they came to. Whose turn does not come is given back."""
        ends: list[StageOutcome] = []
        self._begin_some()
        while self._pending:
            gathered, self._pending = _gathered(self._pending)
            try:
                ends += self._kept(gathered)
                self._begin_some()
            except SQLAlchemyError as error:
                self._trouble = error
        if self._trouble is not None:
            raise self._trouble
        return ends

    def _begin_some(self) -> None:
        if self._trouble is not None:
            return
        while self._left and len(self._pending) < _WIDTH:
            self._begin(self._left.pop(0))
        if self._left and not self._pace.allows(self._started):
            commit([StageOutcome(job, _GIVEN_BACK) for job in self._left], ahead=False)
            self._left.clear()

    def _begin(self, job: StageJob) -> None:
        self._pending.add(self._pool.submit(_turn, job, self._pace))

    def _kept(self, gathered: set[Turn]) -> list[StageOutcome]:
        troubles = [trouble for turn in gathered if (trouble := turn.exception()) is not None]
        self._trouble = next(iter(troubles), self._trouble)
        done = [one for turn in gathered if turn.exception() is None for one in turn.result()]
        kept = commit(done, ahead=self._pace.allows(self._started))
        for one in kept:
            if one.goes_on and self._trouble is None:
                self._begin(one.job)
        return [one for one in kept if not one.goes_on]


def _gathered(pending: set[Turn]) -> tuple[set[Turn], set[Turn]]:
    """Wait for the first answer, and for a moment for those that were asked for at the same time."""
    first, pending = wait(pending, return_when=FIRST_COMPLETED)
    more, pending = wait(pending, timeout=_GATHERING_SECONDS)
    return first | more, pending


def _cannot_wait(job: StageJob) -> bool:
    """Whether a crash would leave behind what could not be found out: a draft, where others make drafts as well."""
    return job.mailing.stage is Stage.CREATE and not job.settings.owns_account


def _turn(job: StageJob, pace: RunBudget) -> list[StageOutcome]:
    """Have a mailing do what comes next; returns nothing if its claim is lost, or the database refuses it."""
    stage = job.mailing.stage
    try:
        return [_next_of(job)]
    except ClaimLost:
        job.save_calls()
    except (DataError, IntegrityError) as error:
        log_database_error(job, error)
    finally:
        # The payments of many were looked at in one call, before.
        if stage is not Stage.SETTLE:
            pace.took(job.calls)
    return []


def _next_of(job: StageJob) -> StageOutcome:
    if job.is_stale:
        job.checkpoint({})
    result = run_stage(job)
    job.then = result.then if isinstance(result, Proceed) else None
    return StageOutcome(job, result)
