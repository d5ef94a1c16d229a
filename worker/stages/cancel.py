"""Carry out a cancellation: delete the draft, or say why it cannot be had back."""

from lettrlabs import Accepted, NotSent, OrderStatus, Rejected, Unknown
from models import Stage
from worker import transitions
from worker.billing.approval_terms import rejected
from worker.job import Work
from worker.results import Advance, AskPerson, Discarded, Result
from worker.scheduling.schedule import TimeTrouble
from worker.stages.checkout import charges_of
from worker.stages.checks import send_time
from worker.stages.vendor import order_status, visibility
from worker.stages.vendor.failures import not_now, unanswered

_SOON = 2.0
_NOT_FOUND = 404


def discard(work: Work) -> Result:
    """Delete the draft, if there is one. Asking twice is harmless: a deleted order reads as if it never was."""
    if work.held.order_id is None:
        return _discarded(work)
    work.hold_on()
    answer = work.vendor.delete_order(work.held.order)
    match answer:
        case Accepted():
            return _discarded(work)
        case NotSent():
            return not_now(work, answer)
        case Unknown(why):
            pause = _SOON * 2 ** min(work.held.waits, 7)
            return unanswered(work, pause, f"asked to delete the draft, the answer is not known: {why}")
        case Rejected():
            return _not_deleted(work, answer)


def _discarded(work: Work) -> Discarded:
    """Nobody is left to tell why a mailing was rejected, or given up by its own policy: the row keeps that."""
    if work.held.reason_code == transitions.REJECTED:
        return Discarded(transitions.REJECTED, _rejection(work))
    if work.held.reason_code != TimeTrouble.MISSED:
        return Discarded()
    return Discarded(TimeTrouble.MISSED, send_time.given_up(work.held, work.now()))


def _rejection(work: Work) -> str | None:
    with work.engine.connect() as connection:
        found = rejected(connection, work.held.id)
    return None if found is None else transitions.rejection_words(*found)


def _not_deleted(work: Work, answer: Rejected) -> Result:
    """Look at the order: it may be gone, paid for, or shown as it was before an earlier try deleted it."""
    order = work.vendor.order(work.held.order)
    if order is None or order.status == OrderStatus.DELETED:
        return _gone(work, answer)
    if not order_status.is_unpaid(order):
        # Checked out already: it cannot be cancelled here any more, so it is followed to its end.
        return Advance(Stage.SETTLE, {"cancel_requested": False, "order_status": order.status})
    why = f"LettrLabs did not delete the draft order {order.id}"
    facts = {"orderId": order.id, "orderStatus": order.status}
    return visibility.wait(work, why) or AskPerson("not_deleted", why, facts)


def _gone(work: Work, answer: Rejected) -> Result:
    """End the mailing, unless the order may only be hidden, or was charged."""
    why = f"LettrLabs does not show order {work.held.order}"
    # A write sees the true state: it says itself that there is no such order.
    hidden = None if answer.status == _NOT_FOUND else visibility.wait(work, why)
    if hidden is not None:
        return hidden
    charges = charges_of(work) if work.held.may_be_checked_out else 0
    if charges:
        return AskPerson("order_gone", f"{why}, but it was charged", {"charges": charges})
    return _discarded(work)
