"""Doing a stage of one mailing: whatever the vendor or a bug of ours does becomes a result."""

import logging
import traceback

from sqlalchemy.exc import SQLAlchemyError

from lettrlabs import Refused, Unavailable
from models import Stage
from worker.job import ClaimLost, StageJob
from worker.results import NeedsReview, OutcomeUnknown, Result, Wait
from worker.stages import STAGES
from worker.stages.cancel import discard
from worker.stages.vendor.failures import handle_rejection, wait_for_vendor

log = logging.getLogger(__name__)


def run_stage(job: StageJob) -> Result:
    """Return what the mailing's stage comes to, or what is left of it. Raises ClaimLost, SQLAlchemyError."""
    try:
        return _run_stage(job) if job.then is None else job.then()
    except Unavailable as trouble:
        return wait_for_vendor(job, trouble)
    except Refused as refusal:
        return handle_rejection(job, refusal)
    except (ClaimLost, SQLAlchemyError):
        raise
    except Exception as error:  # noqa: BLE001 - a bug must not leave a mailing without a next step
        # The message could quote a person; the place cannot.
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = type(error).__name__
        log.error(  # noqa: TRY400 - as above
            "stage_broke: mailing %s, %s: %s at %s:%s",
            job.mailing.id,
            job.mailing.stage,
            kind,
            place.name,
            place.lineno,
        )
        return OutcomeUnknown(f"an error of Mailrun's own, {kind}: see the worker's log")


def _run_stage(job: StageJob) -> Result:
    claimed, stage = job.mailing, STAGES[job.mailing.stage]
    if claimed.attempts > job.settings.max_attempts:
        return NeedsReview(
            "attempts", f"{claimed.stage} was tried {claimed.attempts - 1} times and never finished"
        )
    if claimed.recovering:
        return stage.recover(job)
    if claimed.cancel_requested:
        return discard(job)
    if claimed.paused and claimed.stage is not Stage.SETTLE:
        return Wait(job.settings.push_again_seconds, "paused")
    return stage.run(job)
