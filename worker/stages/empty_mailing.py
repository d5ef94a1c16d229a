"""A mailing that nobody is left on: its draft is deleted, and it ends."""

from sqlalchemy import func, select

from lettrlabs import NotSent, Rejected, Unknown
from models import SPARED, Outcome, Recipient
from worker.job import StageJob
from worker.results import Cancelled, Failed, OutcomeUnknown, Result
from worker.stages.vendor import visibility
from worker.stages.vendor.failures import handle_rejection, wait_for_vendor

_NOT_FOUND = 404


def end_empty_mailing(job: StageJob) -> Result:
    """Delete the empty draft; the mailing failed if LettrLabs refused everybody, and was not needed otherwise.

    Deleting twice is harmless: a deleted order reads as one that never existed.
    """
    job.ensure_lease()
    answer = job.vendor.delete_order(job.mailing.order)
    if isinstance(answer, NotSent):
        return wait_for_vendor(job, answer)
    if isinstance(answer, Unknown):
        return OutcomeUnknown(f"the empty draft may not be deleted yet: {answer.why}")
    if isinstance(answer, Rejected):
        if job.vendor.order(job.mailing.order) is not None:
            return handle_rejection(job, answer)
        hidden = visibility.wait(job, f"LettrLabs does not show order {job.mailing.order}")
        if hidden is not None and answer.status != _NOT_FOUND:
            return hidden
    return _end(job)


def _end(job: StageJob) -> Result:
    counts = _outcomes(job)
    spared = [f"{counts[outcome]} {outcome}" for outcome in sorted(SPARED) if counts.get(outcome)]
    if not spared:
        return Failed("nobody_accepted", f"LettrLabs took none of the {job.mailing.size} recipients")
    refusals = counts.get(Outcome.REJECTED, 0)
    why = ", ".join([*spared, *([f"{refusals} refused by LettrLabs"] if refusals else [])])
    return Cancelled("nobody_to_mail", f"none of the {job.mailing.size} recipients is to be mailed: {why}")


def _outcomes(job: StageJob) -> dict[Outcome, int]:
    with job.engine.connect() as connection:
        found = connection.execute(
            select(Recipient.outcome, func.count())
            .where(Recipient.mailing_id == job.mailing.id)
            .group_by(Recipient.outcome)
        )
        return {row[0]: row[1] for row in found}
