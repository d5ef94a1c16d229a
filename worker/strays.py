"""Strays: vendor orders that no mailing explains, and whose they may be.

An empty draft costs nothing and mails nothing, so leaving one is always safe, and mistaking one is not: a draft is
deleted only on an account that is declared exclusive to this installation, or if it is known to be our own.
"""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, union

from lettrlabs import OrderStatus, Refused
from models import ENDED, EventLog, Mailing, Move, Stage, State, Stray, StrayFate
from worker.fates import Place
from worker.work import Work

# A paused process may still send the create of a claim it lost; after a day its connection is surely dead.
_ZOMBIE_LIFE = timedelta(days=1)
_NOT_FOUND = 404


def unexplained_drafts(place: Place, above: int = 0) -> list[int]:
    """Return the empty drafts above an order id that no mailing has, lowest first.

    The vendor lists orders in no promised sequence (LettrLabs reference, Get Orders), so all drafts are read.
    Raises Unavailable, Refused.
    """
    listed = place.vendor.iter_orders(status=OrderStatus.DRAFT, page_size=500)
    # A server may ignore the filter.
    drafts = {order.id for order in listed if order.status == OrderStatus.DRAFT}
    unexplained = _without_known(place, [order_id for order_id in drafts if order_id > above])
    return [one for one in sorted(unexplained) if _is_empty(place, one)]


def _is_empty(place: Place, order_id: int) -> bool:
    try:
        return not place.vendor.list_recipients(order_id, page_size=1)
    except Refused as refusal:
        if refusal.status == _NOT_FOUND:
            return False  # deleted since it was listed: there is nothing left to explain
        raise


def _without_known(place: Place, order_ids: Iterable[int]) -> set[int]:
    asked = set(order_ids)
    with place.engine.connect() as connection:
        known = connection.scalars(select(Mailing.order_id).where(Mailing.order_id.in_(asked)))
        return asked - set(known)


def condemned(place: Place, order_ids: Iterable[int]) -> set[int]:
    """Return which of these drafts were to be deleted, but are still there: whoever meant to was stopped."""
    doomed = and_(Stray.order_id.in_(list(order_ids)), Stray.fate == StrayFate.CONDEMNED)
    with place.engine.connect() as connection:
        return set(connection.scalars(select(Stray.order_id).where(doomed)))


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
