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
from worker.stages.checkout import charges_of
from worker.stages.reservation import release
from worker.stages.vendor import order_status, visibility
from worker.stages.vendor.failures import order_missing

_LONGEST_POLL = 300.0


def run(work: StageJob) -> Result:
    """Look once at the order: paid, still settling, or unpaid once a whole settlement window has shown it so."""
    order = _order(work)
    if order is None or order.status == OrderStatus.DELETED:
        return _gone(work)
    if order.status in PAID:
        return _paid(work, order)
    if order.status == OrderStatus.PAYMENT_NEEDED:
        return Wait(_pause(work), "the payment is settling")
    if order_status.is_final(order):
        return order_status.unexpected(order)
    return _unpaid(work, order)


# A read leaves nothing behind to find out about.
recover = run


def _gone(work: StageJob) -> Result:
    """Ask about an order that the vendor does not show any more, and tell whether it still shows its charges."""
    found = order_missing(work)
    if not isinstance(found, NeedsReview):
        return found
    return replace(found, facts={**found.facts, "charges": charges_of(work)})


def _unpaid(work: StageJob, order: Order) -> Result:
    """Give the money back only once neither the order nor its transactions showed a payment for a whole window."""
    hidden = visibility.wait(work, f"the order reads {order.status}: its payment may show later")
    if hidden is not None:
        return replace(hidden, seconds=min(hidden.seconds, _pause(work)))
    if not order_status.is_unpaid(order):
        return order_status.unexpected(order)
    charges = charges_of(work)
    if charges:
        facts = {"orderStatus": order.status, "charges": charges}
        return NeedsReview("checkout_unclear", f"the order reads {order.status}, but it was charged", facts)
    if order.status == OrderStatus.EDITS_NEEDED:
        return order_status.edits_needed(work, order)
    why = "the payment failed: LettrLabs put the order back to Draft"
    return NeedsReview("payment_failed", why, {"orderStatus": order.status}, record=release(work))


def _paid(work: StageJob, order: Order) -> Result:
    """End the mailing if what was taken is what was quoted; else wait for the books, then ask about the money."""
    books = _books(work)
    account = OrderCharges.of(books)
    paid_at = work.held.paid_at or work.now()
    values: Details = {"order_status": order.status, "paid_at": paid_at, **reconciliation.values(account)}
    doubts = account.differences(work.held.quoted or Decimal(0), work.held.accepted)
    decisions = _decisions(work, account) if doubts else {}
    left = [doubt for doubt in doubts if doubt.kind not in decisions]
    if not left:
        return Completed(
            {**values, **reconciliation.passed(doubts, decisions)},
            Effect(reconciliation.save_transactions, books),
        )
    why = f"paid, but {'; '.join(doubt.words for doubt in left)}"
    if work.now() < paid_at + timedelta(seconds=work.settings.settlement_window_seconds):
        work.checkpoint({"order_status": order.status, "paid_at": paid_at})
        return Wait(_pause(work), f"{why}: its books may not be complete yet")

    def record(connection: Connection) -> None:
        reconciliation.save_transactions(connection, [books])
        # What is sent is spent by its move; this waits for a person, and is paid all the same.
        budgets.spend(connection, [work.held.id], work.now())

    facts = {
        "quoted": str(work.held.quoted),
        "orderStatus": order.status,
        **reconciliation.facts(account, left),
    }
    return NeedsReview(reconciliation.CHARGE_DIFFERS, why, facts, values, record)


def _decisions(work: StageJob, account: OrderCharges) -> dict[Difference, int]:
    with work.engine.connect() as connection:
        return acceptances.accepted(connection, work.held.id, reconciliation.digest_of(account))


def _order(work: StageJob) -> Order | None:
    """Return the order as it was seen together with others, or as it is; raises Unavailable, Refused."""
    if work.together.trouble is not None:
        raise work.together.trouble
    return work.together.orders.get(work.held.order) or work.vendor.order(work.held.order)


def _books(work: StageJob) -> SettledOrder:
    order_id = work.held.order
    if order_id in work.together.orders:
        told = work.together.transactions.get(order_id, ())
    else:
        told = work.vendor.transactions([order_id])
    discounts = Decimal(0)
    if reconciliation.has_unclear_credit(told):
        with work.engine.connect() as connection:
            discounts = reconciliation.quoted_discounts(connection, work.held.id)
    return reconciliation.books_of(work.held.id, order_id, told, discounts)


def _pause(work: StageJob) -> float:
    growing: float = work.settings.poll_seconds * 1.5 ** min(work.held.waits, 12)
    return min(growing, max(_LONGEST_POLL, work.settings.poll_seconds))
