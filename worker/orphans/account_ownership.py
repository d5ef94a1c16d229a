"""Whether the account is this installation's alone, as declared, and whether a copy of it sends as well.

`LETTRLABS_EXCLUSIVE` is a declaration, and the vendor's orders may contradict it: a draft with recipients, or a
checked out order above the fence, that no mailing explains. The finding is kept, so that every process behaves as on
a shared account. After Redis was lost, the same evidence shows a copy of this installation beside its original.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from sqlalchemy import Connection, func, select, update

from lettrlabs import PAID, CallRecord, Order, OrderStatus
from models import Installation, Mailing, Outcome, Recipient, Stage, State
from worker.audit import journal
from worker.context import WorkerContext
from worker.orphans.registry import VendorSession
from worker.recipients import matching
from worker.settings import Settings

log = logging.getLogger(__name__)

_CHECKED_OUT: Final = PAID | {OrderStatus.PAYMENT_NEEDED}
# Forty pages of the largest size: what an account orders in months, read within a minute.
_MOST_ORDERS: Final = 20_000
# The vendor's clock may differ from ours, and a vendor may tell the day of a payment only.
_MARGIN: Final = timedelta(days=1)
_UNFINISHED: Final = (State.QUEUED, State.WORKING, State.APPROVAL, State.ATTENTION)


@dataclass(frozen=True, slots=True)
class Fence:
    """From which order, and from which time on, an order that no mailing explains is evidence."""

    order_id: int | None
    at: datetime | None

    def is_passed_by(self, order: Order) -> bool:
        """Return whether an order was made after the fence was set, as far as the vendor tells."""
        if self.order_id is None or order.id <= self.order_id:
            return False
        return order.paid_date is None or self.at is None or order.paid_date >= self.at - _MARGIN


def is_exclusive(place: VendorSession, settings: Settings) -> bool:
    """Return whether the account is declared exclusive, and nothing was seen that contradicts it."""
    return settings.owns_account and not is_contradicted(place)


def is_contradicted(place: VendorSession) -> bool:
    """Return whether the vendor's orders have shown that other programs order in the account."""
    with place.engine.connect() as connection:
        return connection.scalar(select(Installation.shared_at)) is not None


def fence(connection: Connection) -> Fence:
    """Return the fence that the operator set last by arming, or else this installation's first order."""
    row = connection.execute(select(Installation.account_fence, Installation.account_fence_at)).one()
    if row.account_fence is not None:
        return Fence(row.account_fence, row.account_fence_at)
    first = select(func.min(Mailing.order_id), func.min(Mailing.created_at)).where(
        Mailing.order_id.is_not(None)
    )
    return Fence(*connection.execute(first).one())


def note_filled_drafts(place: VendorSession, settings: Settings, order_ids: Iterable[int]) -> bool:
    """Record drafts with recipients that no mailing explains; returns whether they contradict the declaration."""
    with place.engine.connect() as connection:
        since = connection.scalar(select(Installation.account_fence)) or 0
        foreign = [one for one in unknown(connection, order_ids) if one > since]
    if not foreign or not settings.owns_account:
        return False
    _record(
        place,
        f"order {min(foreign)} is a draft with recipients that no mailing of this installation put there",
    )
    return True


def look_at_orders(place: VendorSession, settings: Settings) -> None:
    """Compare the vendor's checked out orders with ours; record what contradicts the declaration, and stop a copy.

    Raises Unavailable, Refused.
    """
    if not is_exclusive(place, settings):
        return
    foreign = _foreign_orders(place)
    if not foreign:
        return
    newest = max(order.id for order in foreign)
    _record(place, f"order {newest} was checked out, and no mailing of this installation explains it")
    twin = _twin(place, foreign)
    if twin is not None:
        _disarm(place, _sends_too(*twin))


def settle_doubt(context: WorkerContext, now: datetime) -> None:
    """Find out whether this is a copy, after Redis lost the epoch; until then nothing is sent.

    On an exclusive account, any order that was checked out since the epoch last moved, and that no mailing explains,
    is the original's. Another program may order on a shared account: there the order must have a mailing's people.
    Raises Unavailable, Refused.
    """
    with context.engine.connect() as connection:
        row = connection.execute(select(Installation.doubted_at, Installation.epoch_at)).one()
    if row.doubted_at is None:
        return
    calls: list[CallRecord] = []
    look = Look(context, now, calls)
    try:
        why = _why_copy(look, context.settings, row.epoch_at)
    finally:
        with context.engine.begin() as connection:
            journal.save_calls(connection, calls, None, None, None)
    if why is not None:
        _disarm(look, why)
    with context.engine.begin() as connection:
        connection.execute(update(Installation).values(doubted_at=None))


class Look:
    """A place for one look at the vendor's orders, with a journal of its own."""

    def __init__(self, context: WorkerContext, now: datetime, calls: list[CallRecord]) -> None:
        """Look by this desk's means; the calls are added to the list."""
        self.engine = context.engine
        self.vendor = context.vendor.observed(calls.append)
        self._now = now

    def now(self) -> datetime:
        """Return the time of the look."""
        return self._now


def declare_exclusive(connection: Connection, newest_order: int, now: datetime) -> None:
    """Forget what contradicted the declaration: the operator has seen every order up to this one."""
    values = {"account_fence": newest_order, "account_fence_at": now, "shared_at": None, "shared_why": None}
    connection.execute(update(Installation).values(**values, doubted_at=None))


def unknown(connection: Connection, order_ids: Iterable[int]) -> list[int]:
    """Return which of these orders no mailing has, the lowest first."""
    asked = set(order_ids)
    known = connection.scalars(select(Mailing.order_id).where(Mailing.order_id.in_(asked)))
    return sorted(asked - set(known))


def _why_copy(look: Look, settings: Settings, epoch_at: datetime | None) -> str | None:
    foreign = _foreign_orders(look, since=epoch_at and epoch_at - _MARGIN)
    if not foreign:
        return None
    if is_exclusive(look, settings):
        return (
            f"Redis is new, and order {foreign[0].id} was checked out meanwhile without this database knowing of it: "
            "this may be a copy whose original is still sending"
        )
    twin = _twin(look, foreign)
    return None if twin is None else _sends_too(*twin)


def _sends_too(mailing_id: int, order_id: int) -> str:
    return f"order {order_id} has exactly the people of mailing {mailing_id}: a copy of this installation sends too"


def _foreign_orders(place: VendorSession, since: datetime | None = None) -> list[Order]:
    """Return the checked out orders beyond the fence that no mailing has."""
    listed = islice(place.vendor.iter_orders(page_size=500), _MOST_ORDERS)
    checked_out = [order for order in listed if order.status in _CHECKED_OUT]
    with place.engine.connect() as connection:
        bound = fence(connection)
        foreign = set(unknown(connection, [one.id for one in checked_out if bound.is_passed_by(one)]))
    return [
        one
        for one in checked_out
        if one.id in foreign and (since is None or one.paid_date is None or one.paid_date >= since)
    ]


def _twin(place: VendorSession, foreign: Iterable[Order]) -> tuple[int, int] | None:
    """Return a mailing and the foreign order that has exactly its people."""
    mailings = _unpaid_people(place)
    sizes = {len(people) for people in mailings.values()}
    for order in foreign if mailings else ():
        there = {person.id: person for person in place.vendor.iter_recipients(order.id)}
        if len(there) not in sizes:
            continue
        for mailing_id, people in mailings.items():
            if len(people) == len(there) == len(matching.match(people, there)):
                return mailing_id, order.id
    return None


def _unpaid_people(place: VendorSession) -> Mapping[int, dict[int, matching.Matchable]]:
    query = (
        select(*Recipient.__table__.columns)
        .join(Mailing, Mailing.id == Recipient.mailing_id)
        .where(
            Mailing.stage != Stage.SETTLE,
            Mailing.state.in_(_UNFINISHED),
            Recipient.outcome.in_([Outcome.WAITING, Outcome.SUBMITTED, Outcome.ACCEPTED]),
        )
    )
    people: dict[int, dict[int, matching.Matchable]] = {}
    with place.engine.connect() as connection:
        for person in connection.execute(query):
            people.setdefault(person.mailing_id, {})[person.position] = person
    return people


def _record(place: VendorSession, why: str) -> None:
    noted = (
        update(Installation)
        .where(Installation.shared_at.is_(None))
        .values(shared_at=place.now(), shared_why=why)
    )
    with place.engine.begin() as connection:
        if connection.execute(noted).rowcount:
            log.error(
                "account_shared: %s; no draft is deleted or taken over any more: set LETTRLABS_EXCLUSIVE=false, "
                "or run `mailrun arm` if only this installation makes orders",
                why,
            )


def _disarm(place: VendorSession, why: str) -> None:
    stopped = update(Installation).where(Installation.disarmed_at.is_(None))
    with place.engine.begin() as connection:
        if connection.execute(stopped.values(disarmed_at=place.now(), disarmed_why=why)).rowcount:
            log.error("disarmed: %s; see `mailrun arm`", why)
