"""Carry out a cancellation: delete the draft, or say why it cannot be had back."""

from lettrlabs import Accepted, NotSent, OrderStatus, Rejected, Unknown
from models import Stage
from worker import transitions
from worker.billing.approval_terms import last_rejection
from worker.job import StageJob
from worker.results import Advance, Cancelled, NeedsReview, Result
from worker.scheduling.schedule import ScheduleProblem
from worker.stages.checkout import charges_of
from worker.stages.checks import send_time
from worker.stages.vendor import order_status, visibility
from worker.stages.vendor.failures import unanswered, wait_for_vendor

DELETE_RETRY_SECONDS = 2.0
_NOT_FOUND = 404


def discard(work: StageJob) -> Result:
    """Delete the draft, if there is one. Asking twice is harmless: a deleted order reads as if it never was."""
    if work.held.order_id is None:
        return _discarded(work)
    work.hold_on()
    answer = work.vendor.delete_order(work.held.order)
    match answer:
        case Accepted():
            return _discarded(work)
        case NotSent():
            return wait_for_vendor(work, answer)
        case Unknown(why):
            pause = DELETE_RETRY_SECONDS * 2 ** min(work.held.waits, 7)
            return unanswered(work, pause, f"asked to delete the draft, the answer is not known: {why}")
        case Rejected():
            return _not_deleted(work, answer)


def _discarded(work: StageJob) -> Cancelled:
    """Nobody is left to tell why a mailing was rejected, or given up by its own policy: the row keeps that."""
    if work.held.reason_code == transitions.REJECTED:
        return Cancelled(transitions.REJECTED, _rejection(work))
    if work.held.reason_code != ScheduleProblem.MISSED:
        return Cancelled()
    return Cancelled(ScheduleProblem.MISSED, send_time.skip_reason(work.held, work.now()))


def _rejection(work: StageJob) -> str | None:
    with work.engine.connect() as connection:
        found = last_rejection(connection, work.held.id)
    return None if found is None else transitions.rejection_label(*found)


def _not_deleted(work: StageJob, answer: Rejected) -> Result:
    """Look at the order: it may be gone, paid for, or shown as it was before an earlier try deleted it."""
    order = work.vendor.order(work.held.order)
    if order is None or order.status == OrderStatus.DELETED:
        return _gone(work, answer)
    if not order_status.is_unpaid(order):
        # Checked out already: it cannot be cancelled here any more, so it is followed to its end.
        return Advance(Stage.SETTLE, {"cancel_requested": False, "order_status": order.status})
    why = f"LettrLabs did not delete the draft order {order.id}"
    facts = {"orderId": order.id, "orderStatus": order.status}
    return visibility.wait(work, why) or NeedsReview("not_deleted", why, facts)


def _gone(work: StageJob, answer: Rejected) -> Result:
    """End the mailing, unless the order may only be hidden, or was charged."""
    why = f"LettrLabs does not show order {work.held.order}"
    # A write sees the true state: it says itself that there is no such order.
    hidden = None if answer.status == _NOT_FOUND else visibility.wait(work, why)
    if hidden is not None:
        return hidden
    charges = charges_of(work) if work.held.may_be_checked_out else 0
    if charges:
        return NeedsReview("order_gone", f"{why}, but it was charged", {"charges": charges})
    return _discarded(work)
