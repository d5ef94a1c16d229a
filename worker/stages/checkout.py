"""Check out: the one call that takes money, made at most once unless it is known to have had no effect.

Right before it, what is there is held against what was agreed, and the money is reserved from the budgets: that
is undone whenever the checkout surely took no effect. An unreadable answer is settled by looking: an order that was
seen unpaid for a whole settlement window, and without transactions, was not checked out.
"""

from dataclasses import replace
from datetime import timedelta

from lettrlabs import Accepted, Checkout, NotSent, Order, OrderStatus, Rejected, Unknown
from models import Stage
from worker.billing import reconciliation
from worker.job import OrderSnapshot, StageJob
from worker.results import Advance, Continue, NeedsReview, OutcomeUnknown, Proceed, Result
from worker.stages import recipient_pages, recipient_screening
from worker.stages.checks import approval, times
from worker.stages.reservation import release, reserve_effect
from worker.stages.vendor import order_status, visibility
from worker.stages.vendor.failures import handle_rejection, order_missing, wait_for_vendor

_RESENDS = 2
# A vendor may name any number; one that names a day would leave a failed payment unseen for as long.
_LATEST_FIRST_LOOK = 300


def run(work: StageJob) -> Result:
    """Verify what was approved, then reserve the money, then check out."""
    if work.saw.is_reserved(work.now()):
        return _reserved(work)
    objection = times.check(work) if work.saw.all_of_it(work.now()) else _objection(work)
    if objection is not None:
        return objection
    if work.held.quoted is None:
        raise LookupError(f"mailing {work.held.id} is to be checked out without a quote")
    # The verification took its time: the row, and who is suppressed, is read once more right before the money moves.
    return Proceed(lambda: _reserved(work), record=reserve_effect(work, work.held.quoted))


def _reserved(work: StageJob) -> Result:
    if work.saw.reserved_at is None:
        work.saw = OrderSnapshot()
        return Continue("somebody was suppressed right before checkout", record=release(work))
    work.hold_on()
    if work.held.paused or work.held.cancel_requested:
        return Continue("halted right before checkout", record=release(work))
    return _check_out(work)


def _objection(work: StageJob) -> Result | None:
    """Hold what is there against what was agreed, and against the rules for people and times."""
    return (
        recipient_screening.check(work)
        or times.check(work)
        or _recipients_differ(work)
        or approval.check(work)
    )


def _check_out(work: StageJob) -> Result:
    answer = work.vendor.checkout(
        work.held.order,
        postage_type=work.held.postage,
        production_speed=work.held.speed,
        hold_until=work.held.vendor_hold,
        auto_bill=work.held.auto_bill,
    )
    match answer:
        case Accepted(told):
            return _to_settle(work, told)
        case NotSent():
            return replace(wait_for_vendor(work, answer), record=release(work))
        case Rejected():
            return _after_refusal(work, answer)
        case Unknown(why):
            return OutcomeUnknown(f"the answer to the checkout is not known: {why}")


def recover(work: StageJob) -> Result:
    """Look whether the lost checkout took effect; only an order that surely was not checked out is sent again."""
    if recipient_screening.removal_in_progress(work):
        return Continue("people were being taken off the draft, before any checkout")
    order = work.vendor.order(work.held.order)
    if order is None or order.status == OrderStatus.DELETED:
        return order_missing(work)
    if order_status.is_checked_out(order):
        return _checked_out(order)
    return _unpaid(work, order)


def _unpaid(work: StageJob, order: Order) -> Result:
    """Send a checkout again that surely had no effect; else ask a person."""
    if order_status.is_final(order):
        return order_status.unexpected(order)
    hidden = visibility.wait(work, "waits until a lost checkout would have shown")
    if hidden is not None:
        return hidden
    if not order_status.is_unpaid(order):
        return order_status.unexpected(order)
    charges = charges_of(work)
    if not charges and work.held.resends < _RESENDS:
        return Continue("the lost checkout had no effect", {"resends": work.held.resends + 1}, release(work))
    facts = {"orderStatus": order.status, "charges": charges, "sentAgain": work.held.resends}
    why = f"the order reads {order.status}, but its checkout may have had an effect"
    return NeedsReview("checkout_unclear", why, facts)


def _recipients_differ(work: StageJob) -> Result | None:
    there = [
        person.id for person in work.vendor.iter_recipients(work.held.order, expected=work.held.accepted)
    ]
    if recipient_pages.digest_of(there) == work.held.recipients_digest:
        return None
    if not there and work.vendor.order(work.held.order) is None:
        return order_missing(work)
    facts = {"approved": work.held.accepted, "onTheOrder": len(there)}
    why = f"the order holds {len(there)} recipients, not the {work.held.accepted} that were read back"
    return visibility.wait(work, why) or NeedsReview("recipients_changed", why, facts)


def _after_refusal(work: StageJob, answer: Rejected) -> Result:
    """Look at the order: a refusal may come because an earlier checkout did take effect, which may show late."""
    order = work.vendor.order(work.held.order)
    if order is not None and order_status.is_checked_out(order):
        return _checked_out(order)
    unpaid = order_missing(work) if order is None else _refused(work, order, answer)
    if not isinstance(unpaid, NeedsReview):
        return unpaid
    charges = charges_of(work)
    if charges:
        facts = {"orderStatus": order and order.status, "charges": charges}
        return NeedsReview("checkout_unclear", "the checkout was refused, but the order was charged", facts)
    return replace(unpaid, record=release(work))


def _refused(work: StageJob, order: Order, answer: Rejected) -> Result:
    if order_status.is_final(order):
        return order_status.unexpected(order)
    if order.status == OrderStatus.EDITS_NEEDED:
        return visibility.wait(work, f"order {order.id} reads {order.status}") or order_status.edits_needed(
            work, order
        )
    return handle_rejection(work, answer)


def _checked_out(order: Order) -> Result:
    return Advance(Stage.SETTLE, {"order_status": order.status})


def _to_settle(work: StageJob, told: Checkout) -> Result:
    asked = told.poll_after_seconds or work.settings.poll_seconds
    first_look = work.now() + timedelta(seconds=min(max(asked, 0), _LATEST_FIRST_LOOK))
    status = told.order_status or OrderStatus.PAYMENT_NEEDED.value
    return Advance(Stage.SETTLE, {"order_status": status, "not_before": first_look, "wake_at": first_look})


def charges_of(work: StageJob) -> int:
    """Return how many transactions the vendor shows for the order."""
    told = work.vendor.transactions([work.held.order])
    return len(reconciliation.books_of(work.held.id, work.held.order, told).entries)
