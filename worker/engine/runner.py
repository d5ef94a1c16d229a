"""Doing a stage of one mailing: whatever the vendor or a bug of ours does becomes a result."""

import logging
import traceback

from sqlalchemy.exc import SQLAlchemyError

from lettrlabs import Refused, Unavailable
from models import Stage
from worker.job import ClaimLost, Work
from worker.results import AskPerson, Result, Unsure, Wait
from worker.stages import STAGES
from worker.stages.cancel import discard
from worker.stages.vendor.failures import not_now, refused

log = logging.getLogger(__name__)


def perform(work: Work) -> Result:
    """Return what the mailing's stage comes to, or what is left of it. Raises ClaimLost, SQLAlchemyError."""
    try:
        return _perform(work) if work.then is None else work.then()
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
