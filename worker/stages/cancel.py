"""Carry out a cancellation: delete the draft, or say why it cannot be had back."""

from lettrlabs import Accepted, NotSent, OrderStatus, Rejected, Unknown
from models import Stage
from worker import transitions
from worker.billing.approval_terms import last_rejection
from worker.job import StageJob
from worker.results import Advance, Cancelled, NeedsReview, Result
from worker.scheduling.schedule import ScheduleProblem
from worker.stages.checks import send_time
from worker.stages.vendor import order_status, visibility
from worker.stages.vendor.charges import charges_of
from worker.stages.vendor.failures import unanswered, wait_for_vendor

DELETE_RETRY_SECONDS = 2.0
_NOT_FOUND = 404


def discard(job: StageJob) -> Result:
    """Delete the draft, if there is one. Asking twice is harmless: a deleted order reads as if it never was."""
    if job.mailing.order_id is None:
        return _discarded(job)
    job.ensure_lease()
    answer = job.vendor.delete_order(job.mailing.order)
    match answer:
        case Accepted():
            return _discarded(job)
        case NotSent():
            return wait_for_vendor(job, answer)
        case Unknown(why):
            pause = DELETE_RETRY_SECONDS * 2 ** min(job.mailing.waits, 7)
            return unanswered(job, pause, f"asked to delete the draft, the answer is not known: {why}")
        case Rejected():
            return _not_deleted(job, answer)


def _discarded(job: StageJob) -> Cancelled:
    """Nobody is left to tell why a mailing was rejected, or given up by its own policy: the row keeps that."""
    if job.mailing.reason_code == transitions.REJECTED:
        return Cancelled(transitions.REJECTED, _rejection(job))
    if job.mailing.reason_code != ScheduleProblem.MISSED:
        return Cancelled()
    return Cancelled(ScheduleProblem.MISSED, send_time.skip_reason(job.mailing, job.now()))


def _rejection(job: StageJob) -> str | None:
    with job.engine.connect() as connection:
        found = last_rejection(connection, job.mailing.id)
    return None if found is None else transitions.rejection_label(*found)


def _not_deleted(job: StageJob, answer: Rejected) -> Result:
    """Look at the order: it may be gone, paid for, or shown as it was before an earlier try deleted it."""
    order = job.vendor.order(job.mailing.order)
    if order is None or order.status == OrderStatus.DELETED:
        return _gone(job, answer)
    if not order_status.is_unpaid(order):
        # Checked out already: it cannot be cancelled here any more, so it is followed to its end.
        return Advance(Stage.SETTLE, {"cancel_requested": False, "order_status": order.status})
    why = f"LettrLabs did not delete the draft order {order.id}"
    facts = {"orderId": order.id, "orderStatus": order.status}
    return visibility.wait(job, why) or NeedsReview("not_deleted", why, facts)


def _gone(job: StageJob, answer: Rejected) -> Result:
    """End the mailing, unless the order may only be hidden, or was charged."""
    why = f"LettrLabs does not show order {job.mailing.order}"
    # A write sees the true state: it says itself that there is no such order.
    hidden = None if answer.status == _NOT_FOUND else visibility.wait(job, why)
    if hidden is not None:
        return hidden
    charges = charges_of(job) if job.mailing.may_be_checked_out else 0
    if charges:
        return NeedsReview("order_gone", f"{why}, but it was charged", {"charges": charges})
    return _discarded(job)
