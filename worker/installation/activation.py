"""Arming: before a restored or copied database may send, a person sees what the vendor knows and it does not.

What was sent after a backup was taken is unknown to it, and would be sent again. So the vendor's orders are read:
mailings here whose people are on an order that this database does not know go to attention, the rest may go on.
An order, its status or its people may not be visible yet, so a mailing goes on only after two looks a window apart.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from time import sleep

from sqlalchemy import select

from lettrlabs import Order, OrderStatus
from models import Mailing, Outcome, Recipient, Stage, State
from worker import transitions
from worker.context import WorkerContext
from worker.installation.epoch import driver, mark_active, open_epochs
from worker.orphans import account_ownership
from worker.recipients import matching

# Forty pages of the largest size: what an account orders in months, read within a minute.
_NEWEST = 20_000


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What the vendor's orders say that this database does not know."""

    orders_read: int
    newest_order: int
    unknown: tuple[Order, ...]
    unfinished: int
    suspects: dict[int, int]
    """By mailing: the unknown order that has its people already."""

    @property
    def unknown_by_status(self) -> dict[str, int]:
        """How many unknown orders stand in which status."""
        return dict(Counter(order.status for order in self.unknown))


def compare_with_vendor(context: WorkerContext, pause: Callable[[float], None] = sleep) -> RestoreReport:
    """Read the vendor's orders and compare, twice where a mailing would go on for want of an order with its people.

    Raises Unavailable, Refused.
    """
    first = _look(context)
    if not _unsent_people(context).keys() - first.suspects.keys():
        return first
    # An original, or a worker of before the restore, may have written up to now.
    pause(context.settings.visibility_window_seconds)
    second = _look(context)
    return replace(second, suspects=first.suspects | second.suspects)


def _look(context: WorkerContext) -> RestoreReport:
    orders = []
    for order in context.vendor.iter_orders(page_size=500):
        orders.append(order)
        if len(orders) >= _NEWEST:
            break
    with context.engine.connect() as connection:
        known = set(connection.scalars(select(Mailing.order_id).where(Mailing.order_id.is_not(None))))
        open_states = [State.QUEUED, State.WORKING, State.APPROVAL, State.ATTENTION]
        waiting = list(connection.scalars(select(Mailing.id).where(Mailing.state.in_(open_states))))
    unknown = tuple(order for order in orders if order.id not in known)
    newest = max((order.id for order in orders), default=0)
    return RestoreReport(len(orders), newest, unknown, len(waiting), _suspects(context, unknown))


def _suspects(context: WorkerContext, unknown: tuple[Order, ...]) -> dict[int, int]:
    ordered = [order for order in unknown if order.status not in {OrderStatus.DRAFT, OrderStatus.DELETED}]
    there = {
        order.id: {person.id: person for person in context.vendor.iter_recipients(order.id)}
        for order in ordered
    }
    suspects: dict[int, int] = {}
    for mailing_id, people in _unsent_people(context).items():
        for order_id, persons in there.items():
            if persons and matching.match(people, persons):
                suspects[mailing_id] = order_id
                break
    return suspects


def _unsent_people(context: WorkerContext) -> dict[int, dict[int, matching.Matchable]]:
    query = (
        select(*Recipient.__table__.columns)
        .join(Mailing, Mailing.id == Recipient.mailing_id)
        .where(
            Mailing.stage != Stage.SETTLE,
            Mailing.state.in_(transitions.SUSPECTED),
            Recipient.outcome != Outcome.REJECTED,
        )
    )
    people: dict[int, dict[int, matching.Matchable]] = {}
    with context.engine.connect() as connection:
        for person in connection.execute(query):
            people.setdefault(person.mailing_id, {})[person.position] = person
    return people


def activate(context: WorkerContext, found: RestoreReport, who: str, now: datetime) -> int:
    """Put the suspects to attention and arm the database; returns how many mailings went to attention."""
    held_back = 0
    with context.engine.begin() as connection:
        for mailing_id, order_id in found.suspects.items():
            why = f"order {order_id}, which this database did not know, has people of this mailing"
            held_back += transitions.flag_possibly_sent(
                connection, mailing_id, who, why, {"orderId": order_id}, now
            )
        account_ownership.declare_exclusive(connection, found.newest_order, now)
    with context.engine.connect() as connection:
        mark_active(
            driver(connection), open_epochs(context.settings.redis_url, context.settings.broker_prefix), now
        )
    return held_back
