"""Several mailings side by side: each does a stage, one commit keeps what they came to, and they go on.

A commit costs the database and the worker as much as a call costs a fast vendor, so several mailings share one. What
is not committed yet would have to be found out after a crash: that is never more than half a second's work. A slow
vendor is asked for all of them at the same time.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Final, TypeAlias

from psycopg.errors import DeadlockDetected, UniqueViolation
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError

from models import Stage
from worker import moves, recipients
from worker.budgets import OVER_BUDGET, OverBudget
from worker.desk import CALLS, CONCURRENCY
from worker.moves import Making, Times
from worker.performing import perform
from worker.results import Advance, Again, AskApproval, Contested, Proceed, Result, Wait, nothing
from worker.stages import create
from worker.work import ClaimLost, Work

log = logging.getLogger(__name__)

# As many as share a commit at most: beyond it little is saved, and a crash leaves more to be found out.
ABREAST: Final = 8
_UNCOMMITTED_SECONDS: Final = 0.4
# Those who were asked at the same time answer at almost the same time.
_GATHERING_SECONDS: Final = 0.02
# A stage that takes longer is mostly waiting, which threads can do together.
_SLOW_SECONDS: Final = 0.04
# How many of a message, if all messages of the process are worked on like this.
_WIDTH: Final = 2 * CALLS // CONCURRENCY
_CONTESTED_PAUSE: Final = 1.0
_GIVEN_BACK: Final = Wait(0.0, "its worker had no time for it")


class Next(Enum):
    """What the chain's remaining messages are good for."""

    GO_ON = "the next message continues"
    NOTHING = "nothing is left for them to do"


@dataclass(slots=True)
class Pace:
    """How far a worker may run ahead of the chain: not once it is stopping, nor for so long that events must wait."""

    seconds: float = 5.0
    stopping: bool = False
    _turn: float = 0.0

    def allows(self, started: float) -> bool:
        """Return whether the next stage may be done in the same breath."""
        return not self.stopping and time.monotonic() - started < self.seconds

    @property
    def is_slow(self) -> bool:
        """Whether a stage has taken so long lately that several had better wait for the vendor together."""
        return self._turn > _SLOW_SECONDS

    def took(self, seconds: float) -> None:
        """Take note of how long a stage took. Threads may get into each other's way here: it is an estimate."""
        self._turn += (seconds - self._turn) / ABREAST


@dataclass(frozen=True, slots=True)
class Done:
    """What a mailing came to; ``ahead`` says whether, when that was committed, it was to go on at once."""

    work: Work
    result: Result
    ahead: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether this worker does what comes next, under the same claim."""
        match self.result:
            case Advance(to):
                return self.ahead and to is not Stage.SETTLE
            case Again() | Proceed():
                return True
            case _:
                return False

    @property
    def is_for_the_chain(self) -> bool:
        """Whether the chain's next message does what comes next."""
        return isinstance(self.result, Advance) and self.result.to is not Stage.SETTLE and not self.ahead


Turn: TypeAlias = Future[list[Done]]


def go_on(works: Sequence[Work], pace: Pace, started: float) -> Next:
    """Do a stage of each mailing and commit them together; go on with those that ran ahead, until none is left."""
    ends = Next.NOTHING
    going = list(works)
    while going:
        if pace.is_slow and len(going) > 1:
            done, going = list(_AtTheSameTime(going, pace, started).ends()), []
        else:
            done, going = _in_turn(going, pace, started)
        going += [one.work for one in done if one.goes_on]
        if any(one.is_for_the_chain for one in done):
            ends = Next.GO_ON
    return ends


def _in_turn(works: list[Work], pace: Pace, started: float) -> tuple[list[Done], list[Work]]:
    """Have one mailing after the other do what comes next; returns what they came to, and those that did not begin.

    These are none, unless the vendor turns out to be slow.
    """
    recipients.foresee([work for work in works if work.held.stage is Stage.ATTACH])
    waiting: list[Done] = []
    committed: list[Done] = []
    left, since = list(works), time.monotonic()
    while left and not (committed and pace.is_slow):
        work = left.pop(0)
        if len(left) < len(works) - 1 and pace.stopping:
            # Each could take as long as a worker is given to stop.
            waiting.append(Done(work, _GIVEN_BACK))
            continue
        try:
            waiting += _turn(work, pace)
        except SQLAlchemyError:
            list(_commit(waiting, ahead=False))
            raise
        if time.monotonic() - since > _UNCOMMITTED_SECONDS or _cannot_wait(work):
            committed += _commit(waiting, ahead=pace.allows(started))
            waiting, since = [], time.monotonic()
    return [*committed, *_commit(waiting, ahead=pace.allows(started))], left


class _AtTheSameTime:
    """Several mailings that wait for the vendor together, each doing what comes next as soon as the last is kept."""

    def __init__(self, works: Sequence[Work], pace: Pace, started: float) -> None:
        self._left = list(works)
        self._pace = pace
        self._started = started
        self._pool = works[0].desk.callers
        self._pending: set[Turn] = set()

    def ends(self) -> Iterator[Done]:
        """Go on with each until it rests; yields what they came to. Those whose turn does not come are given back."""
        trouble: SQLAlchemyError | None = None
        self._begin_some()
        while self._pending:
            gathered, self._pending = _gathered(self._pending)
            try:
                yield from self._kept(gathered, go_on=trouble is None)
                if trouble is None:
                    self._begin_some()
            except SQLAlchemyError as error:
                # The calls that are under way end first: what they come to is to be written down, too.
                trouble = error
        if trouble is not None:
            raise trouble

    def _begin_some(self) -> None:
        while self._left and len(self._pending) < _WIDTH:
            self._begin(self._left.pop(0))
        if self._left and not self._pace.allows(self._started):
            list(_commit([Done(work, _GIVEN_BACK) for work in self._left], ahead=False))
            self._left.clear()

    def _begin(self, work: Work) -> None:
        self._pending.add(self._pool.submit(_turned, work, self._pace))

    def _kept(self, gathered: set[Turn], *, go_on: bool) -> list[Done]:
        done = [one for turn in gathered for one in turn.result()]
        kept = list(_commit(done, ahead=self._pace.allows(self._started)))
        for one in kept:
            if one.goes_on and go_on:
                self._begin(one.work)
        return [one for one in kept if not one.goes_on]


def _gathered(pending: set[Turn]) -> tuple[set[Turn], set[Turn]]:
    """Wait for the first answer, and for a moment for those that were asked for at the same time."""
    first, pending = wait(pending, return_when=FIRST_COMPLETED)
    more, pending = wait(pending, timeout=_GATHERING_SECONDS)
    return first | more, pending


def _turned(work: Work, pace: Pace) -> list[Done]:
    return list(_turn(work, pace))


def _cannot_wait(work: Work) -> bool:
    """Whether a crash would leave behind what could not be found out: a draft, where others make drafts as well."""
    return work.held.stage is Stage.CREATE and not work.settings.owns_account


def _turn(work: Work, pace: Pace) -> Iterator[Done]:
    """Have a mailing do what comes next; yields nothing if its claim is lost, or the database refuses it."""
    began, stage = time.monotonic(), work.held.stage
    try:
        if work.is_stale:
            work.checkpoint({})
        result = perform(work)
        work.then = result.then if isinstance(result, Proceed) else None
        yield Done(work, result)
    except ClaimLost:
        work.bear_witness()
    except (DataError, IntegrityError) as error:
        _tell_of(work, error)
    if stage is not Stage.SETTLE:
        # The payments of many were looked at in one call, before.
        pace.took(time.monotonic() - began)


def _commit(done: Sequence[Done], *, ahead: bool) -> Iterator[Done]:
    """Commit what several came to; if one of them stands in the way, each by itself."""
    if len(done) > 1:
        try:
            yield from _committed(done, ahead=ahead)
        except (Contested, OverBudget, DataError, IntegrityError):
            pass
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected):
                raise
        else:
            return
    for one in done:
        yield from _alone(one, ahead=ahead)


def _alone(one: Done, *, ahead: bool) -> Iterator[Done]:
    try:
        yield from _committed([one], ahead=ahead)
    except Contested:
        why = "somebody else decided about the order first"
        yield from _committed([Done(one.work, Wait(_CONTESTED_PAUSE, why))], ahead=False)
    except OverBudget as over:
        yield from _committed([Done(one.work, _over_budget(one.result, over))], ahead=ahead)
    except (DataError, IntegrityError) as error:
        _tell_of(one.work, error)


def _over_budget(result: Result, over: OverBudget) -> Result:
    if isinstance(result, Advance):
        return replace(result, ahead=nothing)
    return AskApproval({"reason_code": OVER_BUDGET}, why=str(over))


def _committed(done: Sequence[Done], *, ahead: bool) -> list[Done]:
    """Make the moves in one transaction; returns those whose claims held. Raises Contested, OverBudget."""
    if not done:
        return []
    desk = done[0].work.desk
    times = Times(desk.lease, desk.push_again, timedelta(seconds=desk.settings.retry_seconds), ahead)
    for one in done:
        # What is not committed is not reserved, and what was before is behind.
        one.work.saw.reserved_at = None
    makings = [Making(one.work.held, one.result, one.work.calls) for one in done]
    try:
        with desk.engine.begin() as connection:
            after = moves.make_together(connection, makings, desk.clock(), times)
    except IntegrityError as error:
        if _names(error, "uq_mailing_order_id"):
            raise Contested from None
        raise
    return [replace(one, ahead=ahead) for one in done if _holds(one, after.get(one.work.held.id))]


def _holds(one: Done, after: moves.Held | None) -> bool:
    work = one.work
    try:
        work.goes_on_as(after)
    except ClaimLost:
        if work.held.stage is Stage.CREATE and isinstance(one.result, Advance):
            create.late_reply(work, one.result.values["order_id"])
        work.bear_witness()
        return False
    return True


def _names(error: IntegrityError, constraint: str) -> bool:
    return isinstance(error.orig, UniqueViolation) and error.orig.diag.constraint_name == constraint


def _tell_of(work: Work, error: SQLAlchemyError) -> None:
    """Tell what the database refuses of one mailing: its claim runs out, it is tried again, and keeps no other."""
    log.error("database_trouble: mailing %s, %s: %s", work.held.id, work.held.stage, type(error).__name__)
