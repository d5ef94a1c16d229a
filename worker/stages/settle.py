"""Settle: wait until the payment has gone through, and write down what was taken. LettrLabs sends no webhooks."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Connection

from lettrlabs import PAID, Order, OrderStatus
from models import Difference
from worker.billing import acceptances, budgets, reconciliation
from worker.billing.reconciliation import OrderCharges, SettledOrder
from worker.job import StageJob
from worker.results import Completed, Details, Effect, NeedsReview, Result, Wait
from worker.stages.reservation import release
from worker.stages.vendor import order_status, visibility
from worker.stages.vendor.charges import charges_of
from worker.stages.vendor.failures import order_missing

_LONGEST_POLL = 300.0


def run(job: StageJob) -> Result:
    """Look once at the order: paid, still settling, or unpaid once a whole settlement window has shown it so."""
    order = _order(job)
    if order is None or order.status == OrderStatus.DELETED:
        return _gone(job)
    if order.status in PAID:
        return _paid(job, order)
    if order.status == OrderStatus.PAYMENT_NEEDED:
        return Wait(_pause(job), "the payment is settling")
    if order_status.is_final(order):
        return order_status.unexpected(order)
    return _unpaid(job, order)


# A read leaves nothing behind to find out about.
recover = run


def _gone(job: StageJob) -> Result:
    """Ask about an order that the vendor does not show any more, and tell whether it still shows its charges."""
    found = order_missing(job)
    if not isinstance(found, NeedsReview):
        return found
    return replace(found, facts={**found.facts, "charges": charges_of(job)})


def _unpaid(job: StageJob, order: Order) -> Result:
    """Give the money back only once neither the order nor its transactions showed a payment for a whole window."""
    hidden = visibility.wait(job, f"the order reads {order.status}: its payment may show later")
    if hidden is not None:
        return replace(hidden, seconds=min(hidden.seconds, _pause(job)))
    if not order_status.is_unpaid(order):
        return order_status.unexpected(order)
    charges = charges_of(job)
    if charges:
        facts = {"orderStatus": order.status, "charges": charges}
        return NeedsReview("checkout_unclear", f"the order reads {order.status}, but it was charged", facts)
    if order.status == OrderStatus.EDITS_NEEDED:
        return order_status.edits_needed(job, order)
    why = "the payment failed: LettrLabs put the order back to Draft"
    return NeedsReview("payment_failed", why, {"orderStatus": order.status}, record=release(job))


def _paid(job: StageJob, order: Order) -> Result:
    """End the mailing if what was taken is what was quoted; else wait for the books, then ask about the money."""
    books = _books(job)
    account = OrderCharges.of(books)
    paid_at = job.mailing.paid_at or job.now()
    values: Details = {"order_status": order.status, "paid_at": paid_at, **reconciliation.values(account)}
    doubts = account.differences(job.mailing.quoted or Decimal(0), job.mailing.accepted)
    decisions = _decisions(job, account) if doubts else {}
    left = [doubt for doubt in doubts if doubt.kind not in decisions]
    if not left:
        return Completed(
            {**values, **reconciliation.passed(doubts, decisions)},
            Effect(reconciliation.save_transactions, books),
        )
    why = f"paid, but {'; '.join(doubt.words for doubt in left)}"
    if job.now() < paid_at + timedelta(seconds=job.settings.settlement_window_seconds):
        job.checkpoint({"order_status": order.status, "paid_at": paid_at})
        return Wait(_pause(job), f"{why}: its books may not be complete yet")

    def record(connection: Connection) -> None:
        reconciliation.save_transactions(connection, [books])
        # What is sent is spent by its move; this waits for a person, and is paid all the same.
        budgets.spend(connection, [job.mailing.id], job.now())

    facts = {
        "quoted": str(job.mailing.quoted),
        "orderStatus": order.status,
        **reconciliation.facts(account, left),
    }
    return NeedsReview(reconciliation.CHARGE_DIFFERS, why, facts, values, record)


def _decisions(job: StageJob, account: OrderCharges) -> dict[Difference, int]:
    with job.engine.connect() as connection:
        return acceptances.accepted(connection, job.mailing.id, reconciliation.digest_of(account))


def _order(job: StageJob) -> Order | None:
    """Return the order as it was seen together with others, or as it is; raises Unavailable, Refused."""
    if job.together.trouble is not None:
        raise job.together.trouble
    return job.together.orders.get(job.mailing.order) or job.vendor.order(job.mailing.order)


def _books(job: StageJob) -> SettledOrder:
    order_id = job.mailing.order
    if order_id in job.together.orders:
        told = job.together.transactions.get(order_id, ())
    else:
        told = job.vendor.transactions([order_id])
    discounts = Decimal(0)
    if reconciliation.has_unclear_credit(told):
        with job.engine.connect() as connection:
            discounts = reconciliation.quoted_discounts(connection, job.mailing.id)
    return reconciliation.books_of(job.mailing.id, order_id, told, discounts)


def _pause(job: StageJob) -> float:
    growing: float = job.settings.poll_seconds * 1.5 ** min(job.mailing.waits, 12)
    return min(growing, max(_LONGEST_POLL, job.settings.poll_seconds))
