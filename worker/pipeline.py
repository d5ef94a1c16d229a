"""The process, top to bottom: a message wakes a mailing, its stage is done, and the row says what is next.

    create -> attach -> proof -> summarize -> checkout        one chain of messages
                                                  settle      woken by the due scan until the payment is through,
                                                              many mailings with one message

A message carries ids and nothing else. Whatever it finds, the row decides: a message that comes late, twice,
out of order or never changes nothing.
"""

import logging
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy.exc import SQLAlchemyError

from lettrlabs import Refused, Unavailable
from models import Stage
from worker import moves, together
from worker.desk import Desk
from worker.discard import discard
from worker.refusals import not_now, refused
from worker.results import Advance, Again, AskPerson, Contested, Result, Unsure, Wait
from worker.stages import STAGES, create
from worker.work import ClaimLost, Work

log = logging.getLogger(__name__)

_CONTESTED_PAUSE = 1.0
CHAIN = (Stage.CREATE, Stage.ATTACH, Stage.PROOF, Stage.SUMMARIZE, Stage.CHECKOUT)


class Next(Enum):
    """What the chain's remaining messages are good for."""

    GO_ON = "the next message continues"
    NOTHING = "nothing is left for them to do"


@dataclass(slots=True)
class Pace:
    """How far a worker may run ahead of the chain: not once it is stopping, nor for so long that events must wait."""

    seconds: float = 5.0
    stopping: bool = False

    def allows(self, started: float) -> bool:
        """Return whether the next stage may be done in the same breath."""
        return not self.stopping and time.monotonic() - started < self.seconds


def deliver(desk: Desk, mailing_id: int, stage: Stage, pace: Pace) -> Next:
    """Do a stage of a mailing if it is due, and, while the pace allows, the stages after it.

    Each stage's end is committed before the next begins, so the mailing resumes there whatever happens.
    """
    started = time.monotonic()
    with desk.engine.begin() as connection:
        held = moves.claim(connection, mailing_id, stage, desk.clock(), desk.lease)
    if held is None:
        return Next.GO_ON
    return _work_under_claim(Work(desk, held), pace, started)


def settle(desk: Desk, mailing_ids: Sequence[int], pace: Pace) -> None:
    """Look whether the payments of several mailings have settled: one claim, one look at them all, a commit each."""
    started = time.monotonic()
    with desk.engine.begin() as connection:
        now = desk.clock()
        held = moves.claim_together(connection, mailing_ids, Stage.SETTLE, now, desk.lease)
    if not held:
        return
    seen = together.look(desk, [one.order for one in held])
    for one in held:
        work = Work(desk, one)
        work.see(seen)
        _work_under_claim(work, pace, started)


def _work_under_claim(work: Work, pace: Pace, started: float) -> Next:
    try:
        return _work_on(work, pace, started)
    except ClaimLost:
        work.bear_witness()
        return Next.NOTHING


def _work_on(work: Work, pace: Pace, started: float) -> Next:
    while True:
        result = _result(work)
        ahead = pace.allows(started)
        _conclude(work, result, run_ahead=ahead)
        match result:
            case Advance(Stage.SETTLE):
                return Next.NOTHING
            case Advance() if not ahead:
                return Next.GO_ON
            case Advance() | Again():
                continue
            case _:
                return Next.NOTHING


def _conclude(work: Work, result: Result, *, run_ahead: bool) -> None:
    try:
        work.conclude(result, run_ahead=run_ahead)
    except Contested:
        work.conclude(Wait(_CONTESTED_PAUSE, "somebody else decided about the order first"), run_ahead=False)
    except ClaimLost:
        if work.held.stage is Stage.CREATE and isinstance(result, Advance):
            create.late_reply(work, result.values["order_id"])
        raise


def _result(work: Work) -> Result:
    """Perform the stage; whatever the vendor or a bug of ours does becomes a result."""
    try:
        return _perform(work)
    except Unavailable as trouble:
        return not_now(work, trouble)
    except Refused as refusal:
        return refused(work, refusal)
    except (ClaimLost, SQLAlchemyError):
        raise
    except Exception as error:  # noqa: BLE001 - a bug must not leave a mailing without a next step
        # The message could quote a person; the place cannot.
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = type(error).__name__
        log.error(  # noqa: TRY400 - as above
            "stage_broke: mailing %s, %s: %s at %s:%s",
            work.held.id,
            work.held.stage,
            kind,
            place.name,
            place.lineno,
        )
        return Unsure(f"an error of Mailrun's own, {kind}: see the worker's log")


def _perform(work: Work) -> Result:
    held, stage = work.held, STAGES[work.held.stage]
    if held.attempts > work.settings.max_attempts:
        return AskPerson("attempts", f"{held.stage} was tried {held.attempts - 1} times and never finished")
    if held.recovering:
        return stage.recover(work)
    if held.cancel_requested:
        return discard(work)
    if held.paused and held.stage is not Stage.SETTLE:
        return Wait(work.settings.push_again_seconds, "paused")
    return stage.run(work)
