"""Carry out a cancellation: delete the draft, or say why it cannot be had back."""

from lettrlabs import Accepted, NotSent, OrderStatus, Unknown
from models import Stage
from worker import lateness, moves
from worker.offers import rejected
from worker.refusals import not_now
from worker.results import Advance, AskPerson, Discarded, Result, Wait
from worker.schedule import TimeTrouble
from worker.work import Work

_SOON = 2.0


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
            return Wait(_SOON, f"asked to delete the draft, the answer is not known: {why}")
        case _:
            return _not_deleted(work)


def _discarded(work: Work) -> Discarded:
    """Nobody is left to tell why a mailing was rejected, or given up by its own policy: the row keeps that."""
    if work.held.reason_code == moves.REJECTED:
        return Discarded(moves.REJECTED, _rejection(work))
    if work.held.reason_code != TimeTrouble.MISSED:
        return Discarded()
    return Discarded(TimeTrouble.MISSED, lateness.given_up(work.held, work.now()))


def _rejection(work: Work) -> str | None:
    with work.engine.connect() as connection:
        found = rejected(connection, work.held.id)
    return None if found is None else moves.rejection_words(*found)


def _not_deleted(work: Work) -> Result:
    order = work.vendor.order(work.held.order)
    if order is None:
        return _discarded(work)
    if order.status in {OrderStatus.DRAFT, OrderStatus.EDITS_NEEDED}:
        facts = {"orderId": order.id, "orderStatus": order.status}
        return AskPerson("not_deleted", f"LettrLabs did not delete the draft order {order.id}", facts)
    # Checked out already: it cannot be cancelled here any more, so it is followed to its end.
    return Advance(Stage.SETTLE, {"cancel_requested": False, "order_status": order.status})
