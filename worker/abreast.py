"""Several mailings side by side: each does a stage, one commit keeps what they came to, and they go on.

A commit costs the database and the worker as much as a call costs a fast vendor, so several mailings share one. What
is not committed yet would have to be found out after a crash: that is never more than half a second's work.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Final

from psycopg.errors import DeadlockDetected, UniqueViolation
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError

from models import Stage
from worker import moves, recipients
from worker.budgets import OVER_BUDGET, OverBudget
from worker.moves import Making, Times
from worker.performing import perform
from worker.results import Advance, Again, AskApproval, Contested, Proceed, Result, Wait
from worker.stages import create
from worker.work import ClaimLost, Work

log = logging.getLogger(__name__)

# As many as share a commit at most: beyond it little is saved, and a crash leaves more to be found out.
ABREAST: Final = 8
_ROUND_SECONDS: Final = 0.4
_CONTESTED_PAUSE: Final = 1.0


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
    def breadth(self) -> int:
        """How many mailings of a message are to be worked on side by side, as long as a stage has taken lately.

        While the vendor is slow a commit costs little beside its calls, and others may do the rest meanwhile.
        """
        return max(1, min(ABREAST, int(_ROUND_SECONDS / self._turn))) if self._turn else ABREAST

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


def go_on(works: Sequence[Work], pace: Pace, started: float) -> Next:
    """Do a stage of each mailing and commit them together; go on with those that ran ahead, until none is left."""
    ends = Next.NOTHING
    going = list(works)
    while going:
        _foresee(going)
        done = list(_round(going, pace, started))
        for one in done:
            one.work.then = one.result.then if isinstance(one.result, Proceed) else None
        going = [one.work for one in done if one.goes_on]
        if any(one.is_for_the_chain for one in done):
            ends = Next.GO_ON
    return ends


def _foresee(works: Sequence[Work]) -> None:
    """Read for several at once what each would read by itself."""
    held = [(work, work.held) for work in works]
    recipients.foresee([work for work, at in held if at.stage is Stage.ATTACH and not at.recovering])


def _round(works: Sequence[Work], pace: Pace, started: float) -> Iterator[Done]:
    """Have each mailing do what comes next, and commit in good time; yields those whose claims held."""
    waiting: list[Done] = []
    since = time.monotonic()
    for number, work in enumerate(works):
        if number and pace.stopping:
            # Each could take as long as a worker is given to stop.
            waiting.append(Done(work, Wait(0.0, "its worker was stopped")))
            continue
        began, stage = time.monotonic(), work.held.stage
        waiting += _turn(work)
        if stage is not Stage.SETTLE:
            pace.took(time.monotonic() - began)
        if time.monotonic() - since > _ROUND_SECONDS or _cannot_wait(work):
            yield from _commit(waiting, ahead=pace.allows(started))
            waiting, since = [], time.monotonic()
    yield from _commit(waiting, ahead=pace.allows(started))


def _cannot_wait(work: Work) -> bool:
    """Whether a crash would leave behind what could not be found out: a draft, where others make drafts as well."""
    return work.held.stage is Stage.CREATE and not work.settings.owns_account


def _turn(work: Work) -> Iterator[Done]:
    try:
        if work.is_stale:
            work.checkpoint({})
        yield Done(work, perform(work))
    except ClaimLost:
        work.bear_witness()
    except (DataError, IntegrityError) as error:
        _tell_of(work, error)


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
        asks = AskApproval({"reason_code": OVER_BUDGET}, why=str(over))
        yield from _committed([Done(one.work, asks)], ahead=False)
    except (DataError, IntegrityError) as error:
        _tell_of(one.work, error)


def _committed(done: Sequence[Done], *, ahead: bool) -> list[Done]:
    """Make the moves in one transaction; returns those whose claims held. Raises Contested, OverBudget."""
    if not done:
        return []
    desk = done[0].work.desk
    times = Times(desk.lease, desk.push_again, timedelta(seconds=desk.settings.retry_seconds), ahead)
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
