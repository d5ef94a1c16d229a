"""Tracking: what became of the pieces of a sent mailing, asked for slowly. LettrLabs sends no webhooks of its own.

Only mailings are tracked that were sent while a webhook wanted to hear of deliveries: each costs a call a day.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from lettrlabs import DeliveryStatus, VendorError
from models import DeliveryTracking, Mailing, NotificationType, Outcome, PieceDelivery, Recipient
from worker.context import WorkerContext
from worker.webhooks import outbox

log = logging.getLogger(__name__)

# The vendor learns of most pieces once a day, from the post's own scans.
PERIOD: Final = timedelta(days=1)
TRACKING_BATCH_SIZE: Final = 50
_ENOUGH: Final = 3
_ENDS: Final = {
    DeliveryStatus.DELIVERED.value: NotificationType.RECIPIENT_DELIVERED,
    DeliveryStatus.UNDELIVERABLE.value: NotificationType.RECIPIENT_UNDELIVERABLE,
}

_TAKE = text("""
    UPDATE tracking AS t
       SET wake_at = CASE WHEN :again < t.until THEN CAST(:again AS timestamptz) END
      FROM mailing AS m
     WHERE m.id = t.mailing_id
       AND t.mailing_id = ANY (ARRAY(SELECT mailing_id FROM tracking WHERE wake_at <= :now
                                      ORDER BY wake_at LIMIT :room FOR UPDATE SKIP LOCKED))
    RETURNING t.mailing_id, m.order_id, m.accepted
""")


def run_once(context: WorkerContext, now: datetime) -> int:
    """Look at the mailings whose time has come; returns how many pieces have ended their way since the last look.

    What LettrLabs does not answer for, or was not asked for any more, is looked at a period later.
    """
    with context.engine.begin() as connection:
        due = list(
            connection.execute(_TAKE, {"now": now, "again": now + PERIOD, "room": TRACKING_BATCH_SIZE})
        )
    ended, failed = 0, 0
    for row in due:
        try:
            ended, failed = ended + _look(context, row, now), 0
        except VendorError as trouble:
            log.warning("vendor_trouble: tracking: mailing %s: %s", row.mailing_id, trouble)
            failed += 1
            # One order that it cannot tell about keeps no other waiting; a vendor that is away is left alone.
            if failed >= _ENOUGH:
                break
    return ended


def _look(context: WorkerContext, row: Row[Any], now: datetime) -> int:
    ended = {
        piece.recipient_id: _ENDS[piece.status]
        for piece in context.vendor.delivery_status(row.order_id, expected=row.accepted)
        if piece.recipient_id is not None and piece.status in _ENDS
    }
    with context.engine.begin() as connection:
        fresh = [
            (position, kind)
            for position, kind in _by_position(connection, row.mailing_id, ended)
            if _is_news(connection, row.mailing_id, position, kind, now)
        ]
        for position, kind in fresh:
            outbox.enqueue(connection, kind, row.mailing_id, now, position)
        _sleep_if_all_ended(connection, row.mailing_id)
    return len(fresh)


def _by_position(
    connection: Connection, mailing_id: int, ended: dict[int, NotificationType]
) -> Sequence[tuple[int, NotificationType]]:
    rows = connection.execute(
        select(Recipient.position, Recipient.vendor_id).where(
            Recipient.mailing_id == mailing_id, Recipient.vendor_id.in_(list(ended))
        )
    )
    return [(row.position, ended[row.vendor_id]) for row in rows if row.vendor_id is not None]


def _is_news(
    connection: Connection, mailing_id: int, position: int, kind: NotificationType, now: datetime
) -> bool:
    delivered = kind is NotificationType.RECIPIENT_DELIVERED
    statement = insert(PieceDelivery).values(
        mailing_id=mailing_id, position=position, delivered=delivered, at=now
    )
    return connection.scalar(statement.on_conflict_do_nothing().returning(PieceDelivery.position)) is not None


def _sleep_if_all_ended(connection: Connection, mailing_id: int) -> None:
    ended = (
        select(func.count())
        .select_from(PieceDelivery)
        .where(PieceDelivery.mailing_id == mailing_id)
        .scalar_subquery()
    )
    on_order = (
        select(func.count())
        .select_from(Recipient)
        .join(Mailing, Mailing.id == Recipient.mailing_id)
        .where(Recipient.mailing_id == mailing_id, Recipient.outcome == Outcome.ACCEPTED)
        .scalar_subquery()
    )
    connection.execute(
        update(DeliveryTracking)
        .where(DeliveryTracking.mailing_id == mailing_id, ended >= on_order)
        .values(wake_at=None)
    )
