"""Strays: vendor orders that no mailing explains, and the rules by which one is adopted or deleted.

An empty draft costs nothing and mails nothing, so leaving one is always safe, and mistaking one is not: a draft is
deleted only on an account that is declared exclusive to this installation, or if it is known to be our own.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal, or_, select, union, update
from sqlalchemy.dialects.postgresql import insert

from lettrlabs import Accepted, OrderStatus, Rejected
from models import ENDED, EventLog, Mailing, Move, Stage, State, Stray, StrayFate
from worker.results import Contested, Record
from worker.work import Work

# A paused process may still send the create of a claim it lost; after a day its connection is surely dead.
_ZOMBIE_LIFE = timedelta(days=1)


def unexplained_drafts(work: Work, above: int) -> list[int]:
    """Return the empty drafts above an order id that no mailing has, lowest first.

    The vendor lists orders in no promised sequence (LettrLabs reference, Get Orders), so all drafts are read.
    Raises Unavailable, Refused.
    """
    drafts = {order.id for order in work.vendor.iter_orders(status=OrderStatus.DRAFT, page_size=500)}
    unexplained = _without_known(work, (order_id for order_id in drafts if order_id > above))
    return [
        order_id for order_id in sorted(unexplained) if not work.vendor.list_recipients(order_id, page_size=1)
    ]


def condemned(work: Work, order_ids: Iterable[int]) -> set[int]:
    """Return which of these drafts were to be deleted, but are still there: whoever meant to was stopped."""
    with work.engine.connect() as connection:
        return set(
            connection.scalars(
                select(Stray.order_id).where(
                    Stray.order_id.in_(list(order_ids)), Stray.fate == StrayFate.CONDEMNED
                )
            )
        )


def _without_known(work: Work, order_ids: Iterable[int]) -> set[int]:
    asked = set(order_ids)
    with work.engine.connect() as connection:
        known = connection.scalars(select(Mailing.order_id).where(Mailing.order_id.in_(asked)))
        return asked - set(known)


def interchangeable(work: Work) -> bool:
    """Return whether every create that may have left a draft was of this mailing's template.

    The vendor does not tell a draft's template. Only if all creates that were lost lately, and whose late
    effects may still appear, asked for the same one, any of their drafts may stand for any other.
    """
    lost = (
        select(Mailing.template_id)
        .join(EventLog, EventLog.mailing_id == Mailing.id)
        .where(
            EventLog.stage == Stage.CREATE,
            EventLog.move.in_([Move.STEAL, Move.UNSURE]),
            EventLog.at > work.now() - _ZOMBIE_LIFE,
        )
    )
    with work.engine.connect() as connection:
        templates = set(connection.scalars(union(lost, select(Mailing.template_id).where(_is_unsure(work)))))
    return templates <= {work.held.template_id}


def unsure_others(work: Work) -> int:
    """Return how many other mailings may own a draft that they do not know of."""
    with work.engine.connect() as connection:
        return connection.scalars(
            select(func.count()).where(_is_unsure(work), Mailing.id != work.held.id)
        ).one()


def _is_unsure(work: Work) -> ColumnElement[bool]:
    abandoned = and_(Mailing.state == State.WORKING, Mailing.lease_until <= work.now())
    return and_(
        Mailing.stage == Stage.CREATE, Mailing.state.not_in(ENDED), or_(Mailing.recovering, abandoned)
    )


def adopt(connection: Connection, order_id: int, now: datetime) -> None:
    """Take a draft for a mailing; raises Contested if it was condemned meanwhile."""
    _fate(connection, order_id, StrayFate.ADOPTED, "taken for a lost create", now)


def discard(work: Work, order_id: int, why: str) -> bool:
    """Delete a draft that nobody uses; False if that could not be seen to happen.

    Deleting twice is harmless: a deleted order reads as one that never existed.
    """
    try:
        with work.engine.begin() as connection:
            _fate(connection, order_id, StrayFate.CONDEMNED, why, work.now())
    except Contested:
        return True
    answer = work.vendor.delete_order(order_id)
    gone = isinstance(answer, Accepted) or (
        isinstance(answer, Rejected) and work.vendor.order(order_id) is None
    )
    if gone:
        with work.engine.begin() as connection:
            connection.execute(update(Stray).where(Stray.order_id == order_id).values(fate=StrayFate.DELETED))
    return gone


def _fate(connection: Connection, order_id: int, fate: StrayFate, why: str, now: datetime) -> None:
    """Decide a stray's fate under its own row's lock, so that adopting and condemning exclude each other."""
    against = {StrayFate.ADOPTED: StrayFate.CONDEMNED, StrayFate.CONDEMNED: StrayFate.ADOPTED}[fate]
    used = exists().where(Mailing.order_id == order_id)
    values = select(literal(order_id), literal(fate.value), literal(why), literal(now), literal(now))
    if fate is StrayFate.CONDEMNED:
        values = values.where(~used)
    statement = insert(Stray).from_select(["order_id", "fate", "why", "first_seen", "last_seen"], values)
    decided = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[Stray.order_id],
            set_={"fate": fate, "why": why, "last_seen": now},
            where=Stray.fate.not_in([against, StrayFate.DELETED]),
        ).returning(Stray.order_id)
    )
    if decided.one_or_none() is None:
        raise Contested


def suspect(work: Work, order_ids: list[int]) -> Record:
    """Note drafts of a shared account that a lost create may have made; a person may look at them."""

    def record(connection: Connection) -> None:
        for order_id in order_ids:
            sighted(connection, order_id, "appeared while a create of ours was lost", work.now())

    return record


def sighted(connection: Connection, order_id: int, why: str, now: datetime) -> None:
    """Count one more sighting of a draft that no mailing explains."""
    statement = insert(Stray).values(
        order_id=order_id, fate=StrayFate.SEEN, why=why, first_seen=now, last_seen=now
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[Stray.order_id], set_={"sightings": Stray.sightings + 1, "last_seen": now}
        )
    )
