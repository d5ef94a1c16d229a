"""Check out: the one call that takes money, made at most once unless it is known to have had no effect.

Right before it, what is there is held against what was agreed, and the money is reserved from the budgets: that
is undone whenever the checkout surely took no effect. An unreadable answer is settled by looking: an order that was
seen unpaid for a whole settlement window, and without transactions, was not checked out.
"""

from dataclasses import replace
from datetime import timedelta

from lettrlabs import Accepted, Checkout, NotSent, Order, OrderStatus, Rejected, Unknown
from models import Stage
from worker.job import OrderSnapshot, StageJob
from worker.recipients.digest import recipients_digest
from worker.results import Advance, Continue, NeedsReview, OutcomeUnknown, Proceed, Result
from worker.stages import recipient_screening
from worker.stages.checks import approval, times
from worker.stages.reservation import release, reserve_effect
from worker.stages.vendor import order_status, visibility
from worker.stages.vendor.charges import charges_of
from worker.stages.vendor.failures import handle_rejection, order_missing, wait_for_vendor

_RESENDS = 2
# A vendor may name any number; one that names a day would leave a failed payment unseen for as long.
_LATEST_FIRST_LOOK = 300


def run(job: StageJob) -> Result:
    """Verify what was approved, then reserve the money, then check out."""
    if job.snapshot.is_reserved(job.now()):
        return _reserved(job)
    objection = times.check(job) if job.snapshot.is_fresh(job.now()) else _objection(job)
    if objection is not None:
        return objection
    if job.mailing.quoted is None:
        raise LookupError(f"mailing {job.mailing.id} is to be checked out without a quote")
    # The verification took its time: the row, and who is suppressed, is read once more right before the money moves.
    return Proceed(lambda: _reserved(job), record=reserve_effect(job, job.mailing.quoted))


def _reserved(job: StageJob) -> Result:
    if job.snapshot.reserved_at is None:
        job.snapshot = OrderSnapshot()
        return Continue("somebody was suppressed right before checkout", record=release(job))
    job.ensure_lease()
    if job.mailing.paused or job.mailing.cancel_requested:
        return Continue("halted right before checkout", record=release(job))
    return _check_out(job)


def _objection(job: StageJob) -> Result | None:
    """Hold what is there against what was agreed, and against the rules for people and times."""
    return (
        recipient_screening.check(job) or times.check(job) or _recipients_differ(job) or approval.check(job)
    )


def _check_out(job: StageJob) -> Result:
    answer = job.vendor.checkout(
        job.mailing.order,
        postage_type=job.mailing.postage,
        production_speed=job.mailing.speed,
        hold_until=job.mailing.vendor_hold,
        auto_bill=job.mailing.auto_bill,
    )
    match answer:
        case Accepted(told):
            return _to_settle(job, told)
        case NotSent():
            return replace(wait_for_vendor(job, answer), record=release(job))
        case Rejected():
            return _after_refusal(job, answer)
        case Unknown(why):
            return OutcomeUnknown(f"the answer to the checkout is not known: {why}")


def recover(job: StageJob) -> Result:
    """Look whether the lost checkout took effect; only an order that surely was not checked out is sent again."""
    if recipient_screening.removal_in_progress(job):
        return Continue("people were being taken off the draft, before any checkout")
    order = job.vendor.order(job.mailing.order)
    if order is None or order.status == OrderStatus.DELETED:
        return order_missing(job)
    if order_status.is_checked_out(order):
        return _checked_out(order)
    return _unpaid(job, order)


def _unpaid(job: StageJob, order: Order) -> Result:
    """Send a checkout again that surely had no effect; else ask a person."""
    if order_status.is_final(order):
        return order_status.unexpected(order)
    hidden = visibility.wait(job, "waits until a lost checkout would have shown")
    if hidden is not None:
        return hidden
    if not order_status.is_unpaid(order):
        return order_status.unexpected(order)
    charges = charges_of(job)
    if not charges and job.mailing.resends < _RESENDS:
        return Continue("the lost checkout had no effect", {"resends": job.mailing.resends + 1}, release(job))
    facts = {"orderStatus": order.status, "charges": charges, "sentAgain": job.mailing.resends}
    why = f"the order reads {order.status}, but its checkout may have had an effect"
    return NeedsReview("checkout_unclear", why, facts)


def _recipients_differ(job: StageJob) -> Result | None:
    there = [
        person.id for person in job.vendor.iter_recipients(job.mailing.order, expected=job.mailing.accepted)
    ]
    if recipients_digest(there) == job.mailing.recipients_digest:
        return None
    if not there and job.vendor.order(job.mailing.order) is None:
        return order_missing(job)
    facts = {"approved": job.mailing.accepted, "onTheOrder": len(there)}
    why = f"the order holds {len(there)} recipients, not the {job.mailing.accepted} that were read back"
    return visibility.wait(job, why) or NeedsReview("recipients_changed", why, facts)


def _after_refusal(job: StageJob, answer: Rejected) -> Result:
    """Look at the order: a refusal may come because an earlier checkout did take effect, which may show late."""
    order = job.vendor.order(job.mailing.order)
    if order is not None and order_status.is_checked_out(order):
        return _checked_out(order)
    unpaid = order_missing(job) if order is None else _refused(job, order, answer)
    if not isinstance(unpaid, NeedsReview):
        return unpaid
    charges = charges_of(job)
    if charges:
        facts = {"orderStatus": order and order.status, "charges": charges}
        return NeedsReview("checkout_unclear", "the checkout was refused, but the order was charged", facts)
    return replace(unpaid, record=release(job))


def _refused(job: StageJob, order: Order, answer: Rejected) -> Result:
    if order_status.is_final(order):
        return order_status.unexpected(order)
    if order.status == OrderStatus.EDITS_NEEDED:
        return visibility.wait(job, f"order {order.id} reads {order.status}") or order_status.edits_needed(
            job, order
        )
    return handle_rejection(job, answer)


def _checked_out(order: Order) -> Result:
    return Advance(Stage.SETTLE, {"order_status": order.status})


def _to_settle(job: StageJob, told: Checkout) -> Result:
    asked = told.poll_after_seconds or job.settings.poll_seconds
    first_look = job.now() + timedelta(seconds=min(max(asked, 0), _LATEST_FIRST_LOOK))
    status = told.order_status or OrderStatus.PAYMENT_NEEDED.value
    return Advance(Stage.SETTLE, {"order_status": status, "not_before": first_look, "wake_at": first_look})
