"""Paid orders are looked at until they are mailed and for a while after: support may change, refund or charge them.

A look costs two calls for up to a hundred orders. What a look does not show is no evidence: a missing row, a missing
transaction and a status that the order has left behind change nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select, text, update

from lettrlabs import OrderAnalytics, OrderTransactions, VendorError
from models import Difference, NotificationType, PaidOrder, State
from worker import transitions
from worker.billing import acceptances, budgets, reconciliation
from worker.billing.costs import ZERO
from worker.billing.order_changes import Known, Shown, Verdict, judge
from worker.billing.reconciliation import SettledOrder
from worker.context import WorkerContext
from worker.webhooks import outbox

log = logging.getLogger(__name__)

# Production takes a day at least, and the post a week: nothing here is urgent.
PERIOD: Final = timedelta(hours=12)
# An order that is still not mailed after this is on hold for long, and looked at once a week.
_SOON: Final = timedelta(days=60)
_RARELY: Final = timedelta(days=7)
# Support refunds and recharges within weeks of the mailing.
AFTER_MAILING: Final = timedelta(days=45)
_TRY_AGAIN: Final = timedelta(hours=1)
# By how often a look has failed: at last an order is asked for alone, so that it keeps no other.
_BATCH_SIZES: Final = (100, 25, 5, 1)
_BATCHES: Final = 10

_BUSY = text("SELECT EXISTS (SELECT FROM mailing WHERE wake_at <= :now)")
_MISSES = text("SELECT misses FROM paid_order WHERE wake_at <= :now ORDER BY wake_at LIMIT 1")
_TAKE = text("""
    UPDATE paid_order AS p
       SET wake_at = :again, misses = LEAST(p.misses + 1, 3)
      FROM mailing AS m
     WHERE m.id = p.mailing_id
       AND p.mailing_id = ANY (ARRAY(SELECT mailing_id FROM paid_order WHERE wake_at <= :now AND misses = :misses
                                      ORDER BY wake_at LIMIT :room FOR UPDATE SKIP LOCKED))
    RETURNING p.mailing_id, m.order_id, m.state, m.order_status, m.quoted, m.charged, m.paid_at,
              p.status, p.status_since, p.mailed_at
""")
_STORED = text("""
    SELECT mailing_id, amount, is_credit FROM charge WHERE mailing_id = ANY (:mailing_ids)
""")


def run_once(context: WorkerContext, now: datetime) -> int:
    """Look at the paid orders whose time has come; returns at how many.

    While mailings are due only one batch is looked at: what is to be sent comes first.
    """
    with context.engine.connect() as connection:
        busy = connection.scalar(_BUSY, {"now": now})
    looked = 0
    for _ in range(1 if busy else _BATCHES):
        due = _take(context, now)
        if not due:
            break
        try:
            looked += _look(context, due, now)
        except VendorError as trouble:
            log.warning("vendor_trouble: %s paid orders: %s", len(due), trouble)
            break
    return looked


def _take(context: WorkerContext, now: datetime) -> Sequence[Row[Any]]:
    """Take due orders that failed equally often; unless the look succeeds they are due again in an hour."""
    with context.engine.begin() as connection:
        misses = connection.scalar(_MISSES, {"now": now})
        if misses is None:
            return ()
        bounds = {"now": now, "again": now + _TRY_AGAIN, "misses": misses, "room": _BATCH_SIZES[misses]}
        return connection.execute(_TAKE, bounds).all()


def _look(context: WorkerContext, due: Sequence[Row[Any]], now: datetime) -> int:
    orders = [row.order_id for row in due if row.order_id is not None]
    told = {one.order_id: one for one in context.vendor.analytics(orders)}
    money = context.vendor.transactions(orders)
    with context.engine.connect() as connection:
        stored = _stored(connection, [row.mailing_id for row in due])
        books = {row.mailing_id: _books(connection, row, money) for row in due}
    for row in due:
        known = Known(
            told=row.order_status,
            status=row.status,
            status_since=row.status_since,
            mailed_at=row.mailed_at,
            quoted=row.quoted,
            charged=row.charged,
            entries=stored.get(row.mailing_id, ()),
        )
        shown = Shown(told.get(row.order_id), books[row.mailing_id])
        with context.engine.begin() as connection:
            _keep(connection, row, shown, judge(row.order_id, known, shown, now), now)
    return len(due)


def _books(connection: Connection, row: Row[Any], money: Sequence[OrderTransactions]) -> SettledOrder:
    mine = [one for one in money if one.order_id == row.order_id]
    unclear = reconciliation.has_unclear_credit(mine)
    discounts = reconciliation.quoted_discounts(connection, row.mailing_id) if unclear else ZERO
    return reconciliation.books_of(row.mailing_id, row.order_id, mine, discounts)


def _stored(connection: Connection, mailing_ids: Sequence[int]) -> Mapping[int, list[Any]]:
    stored: dict[int, list[Any]] = {}
    for row in connection.execute(_STORED, {"mailing_ids": mailing_ids}):
        stored.setdefault(row.mailing_id, []).append((row.amount, row.is_credit))
    return stored


def _keep(connection: Connection, row: Row[Any], shown: Shown, verdict: Verdict, now: datetime) -> None:
    """Write down what was shown, in the transaction in which a person is asked about it.

    A mailing that waits for a person already is looked at again later: what is new by then is told after that.
    """
    values: dict[str, Any] = {"wake_at": _next_look(row, verdict, now), "misses": 0, "looked_at": now}
    if row.state == State.SENT:
        changed: dict[str, Any] = {"order_status": verdict.status} if verdict.tells else {}
        if verdict.account is not None:
            changed |= reconciliation.values(verdict.account)
        if not _change_mailing(connection, row, verdict, changed, now):
            return
        if verdict.news:
            reconciliation.save_transactions(connection, [shown.books])
            budgets.spend(connection, [row.mailing_id], now)
        values |= {
            "status": verdict.status,
            "status_since": verdict.status_since,
            "mailed_at": verdict.mailed_at,
        }
        if verdict.mailed_at is not None and row.mailed_at is None:
            outbox.enqueue(connection, NotificationType.MAILING_MAILED, row.mailing_id, now)
    values |= _pieces(shown.analytics)
    connection.execute(update(PaidOrder).where(PaidOrder.mailing_id == row.mailing_id).values(**values))


def _change_mailing(
    connection: Connection, row: Row[Any], verdict: Verdict, changed: dict[str, Any], now: datetime
) -> bool:
    """Ask a person if the verdict says so; returns False if the mailing is not sent any more."""
    facts, decisions = dict(verdict.facts), _decisions(connection, row, verdict)
    if decisions:
        changed |= {"reason": f"{verdict.why} (accepted by decision {', '.join(map(str, decisions))})"}
    elif verdict.code is not None:
        return transitions.reopen(connection, row.mailing_id, verdict.code, verdict.why, facts, changed, now)
    return not changed or transitions.note_order(connection, row.mailing_id, row.order_id, changed)


def _decisions(connection: Connection, row: Row[Any], verdict: Verdict) -> list[int]:
    """Return the decisions by which a change of charges passes; none if an approver has not accepted all of it."""
    kinds = [Difference(kind) for kind in verdict.facts.get("differences", ())]
    if not kinds:
        return []
    accepted = acceptances.accepted(connection, row.mailing_id, bytes.fromhex(verdict.facts["digest"]))
    return [accepted[kind] for kind in kinds] if accepted.keys() >= set(kinds) else []


def _next_look(row: Row[Any], verdict: Verdict, now: datetime) -> datetime | None:
    if row.state in (State.FAILED, State.CANCELLED):
        return None
    if verdict.mailed_at is not None:
        return now + 2 * PERIOD if now < verdict.mailed_at + AFTER_MAILING else None
    paid_at = row.paid_at or now
    return now + (PERIOD if now < paid_at + _SOON else _RARELY)


def _pieces(analytics: OrderAnalytics | None) -> dict[str, Any]:
    if analytics is None:
        return {}
    scans = analytics.qr_code
    return {
        "expected_from": analytics.delivery_min,
        "expected_until": analytics.delivery_max,
        "pieces": analytics.total_cards,
        "waiting": analytics.waiting,
        "posted": analytics.mailed,
        "in_transit": analytics.in_transit,
        "at_local_facility": analytics.at_local_facility,
        "delivered": analytics.delivered,
        "undeliverable": analytics.undeliverable,
        "scans": None if scans is None else scans.total_scans,
        "last_scan": None if scans is None else scans.last_scan,
    }


def mailed_at(connection: Connection, mailing_id: int) -> datetime | None:
    """Return when the vendor first showed a mailing's order as mailed, None if it has not yet."""
    return connection.scalar(select(PaidOrder.mailed_at).where(PaidOrder.mailing_id == mailing_id))
