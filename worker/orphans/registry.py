"""What becomes of a stray: adopted by a mailing, condemned and deleted, or only seen.

A lock on the order's number makes taking it, adopting it and condemning it exclude each other, whoever comes first.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, Engine, and_, case, exists, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from lettrlabs import Accepted, LettrLabs, Refused, Rejected, VendorError
from models import Mailing, OrphanOrder, OrphanStatus
from worker.results import ClaimConflictError

log = logging.getLogger(__name__)

_NOT_FOUND = 404
_LOCK = text("SELECT pg_advisory_xact_lock(one) FROM unnest(CAST(:order_ids AS bigint[])) AS one")
# Two looks within this time are one: two beats may look at once.
_ONE_LOOK = timedelta(minutes=30)


class VendorSession(Protocol):
    """Where strays are dealt with: a claim's work, or a round of the hourly look."""

    vendor: LettrLabs

    @property
    def engine(self) -> Engine:
        """The database."""

    def now(self) -> datetime:
        """Return the time."""


def register_orders(connection: Connection, order_ids: Sequence[int]) -> None:
    """Take orders that were just made; raises Contested if one passed for a stray and its fate was decided.

    Its maker may have been stopped for longer than its claim held, between the vendor's answer and this.
    """
    _lock(connection, *order_ids)
    decided = select(OrphanOrder.fate).where(
        OrphanOrder.order_id.in_(order_ids), OrphanOrder.fate != OrphanStatus.SEEN
    )
    if connection.scalars(decided).first() is not None:
        raise ClaimConflictError


def adopt(connection: Connection, order_id: int, now: datetime) -> None:
    """Take a draft for a mailing; raises Contested if it was condemned meanwhile."""
    _fate(connection, order_id, OrphanStatus.ADOPTED, "taken for a lost create", now)


def delete_draft(place: VendorSession, order_id: int, why: str) -> bool:
    """Delete a draft that no mailing uses, and that has no recipients; False if that could not be seen to happen.

    Deleting twice is harmless: a deleted order reads as one that never existed.
    """
    try:
        with place.engine.begin() as connection:
            _fate(connection, order_id, OrphanStatus.CONDEMNED, why, place.now())
    except ClaimConflictError:
        return True
    try:
        if has_recipients(place, order_id):
            return _spare(place, order_id)
    except VendorError:
        return False
    log.warning("order_deleted: draft %s is deleted: %s", order_id, why)
    answer = place.vendor.delete_order(order_id)
    gone = isinstance(answer, Accepted) or (
        isinstance(answer, Rejected) and place.vendor.order(order_id) is None
    )
    if gone:
        with place.engine.begin() as connection:
            connection.execute(
                update(OrphanOrder).where(OrphanOrder.order_id == order_id).values(fate=OrphanStatus.DELETED)
            )
    return gone


def has_recipients(place: VendorSession, order_id: int) -> bool | None:
    """Return whether an order has recipients, None if it is gone; raises Unavailable, Refused."""
    try:
        return bool(place.vendor.list_recipients(order_id, page_size=1))
    except Refused as refusal:
        if refusal.status == _NOT_FOUND:
            return None
        raise


def _spare(place: VendorSession, order_id: int) -> bool:
    """Leave a draft alone that was to be deleted: it has recipients by now, so another program uses it."""
    why = "was to be deleted, and has recipients by now"
    log.error("order_kept: draft %s %s: is the account shared?", order_id, why)
    values = {"fate": OrphanStatus.SEEN, "why": why, "last_seen": place.now()}
    with place.engine.begin() as connection:
        connection.execute(update(OrphanOrder).where(OrphanOrder.order_id == order_id).values(**values))
    return True


def _fate(connection: Connection, order_id: int, fate: OrphanStatus, why: str, now: datetime) -> None:
    """Decide a stray's fate, unless the opposite was decided before."""
    _lock(connection, order_id)
    against = {OrphanStatus.ADOPTED: OrphanStatus.CONDEMNED, OrphanStatus.CONDEMNED: OrphanStatus.ADOPTED}[
        fate
    ]
    used = exists().where(Mailing.order_id == order_id)
    values = select(literal(order_id), literal(fate.value), literal(why), literal(now), literal(now))
    if fate is OrphanStatus.CONDEMNED:
        values = values.where(~used)
    statement = insert(OrphanOrder).from_select(
        ["order_id", "fate", "why", "first_seen", "last_seen"], values
    )
    decided = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[OrphanOrder.order_id],
            set_={"fate": fate, "why": why, "last_seen": now},
            where=OrphanOrder.fate.not_in([against, OrphanStatus.DELETED]),
        ).returning(OrphanOrder.order_id)
    )
    if decided.one_or_none() is None:
        raise ClaimConflictError


def _lock(connection: Connection, *order_ids: int) -> None:
    """Lock orders' numbers, the lowest first, as everybody does."""
    connection.execute(_LOCK, {"order_ids": sorted(order_ids)})


def report_effect(place: VendorSession, order_ids: list[int]) -> Callable[[Connection], None]:
    """Note drafts of a shared account that a lost create may have made; a person may look at them."""

    def record(connection: Connection) -> None:
        for order_id in order_ids:
            record_sighting(connection, order_id, "appeared while a create of ours was lost", place.now())

    return record


def record_sighting(connection: Connection, order_id: int, why: str, now: datetime) -> int:
    """Note a draft that no mailing explains; returns how often it was seen, looks close together being one."""
    statement = insert(OrphanOrder).values(
        order_id=order_id, fate=OrphanStatus.SEEN, why=why, first_seen=now, last_seen=now
    )
    is_new_look = OrphanOrder.last_seen <= now - _ONE_LOOK
    # A draft that still shows half an hour after its deletion was not deleted: its case begins anew.
    is_back = and_(is_new_look, OrphanOrder.fate == OrphanStatus.DELETED)
    counted = statement.on_conflict_do_update(
        index_elements=[OrphanOrder.order_id],
        set_={
            "fate": case((is_back, OrphanStatus.SEEN), else_=OrphanOrder.fate),
            "sightings": case(
                (is_back, 1), (is_new_look, OrphanOrder.sightings + 1), else_=OrphanOrder.sightings
            ),
            "last_seen": case((is_new_look, now), else_=OrphanOrder.last_seen),
        },
    ).returning(OrphanOrder.sightings)
    sightings: int = connection.execute(counted).scalar_one()
    return sightings
