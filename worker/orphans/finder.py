"""Strays: vendor orders that no mailing explains, and whose they may be.

An empty draft costs nothing and mails nothing, so leaving one is always safe, and mistaking one is not: a draft is
deleted only on an account that is declared exclusive to this installation, or if it is known to be our own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, union

from lettrlabs import OrderStatus, Outcome
from models import (
    ENDED,
    Mailing,
    OrphanOrder,
    OrphanStatus,
    Stage,
    State,
    StateChange,
    Transition,
    VendorCall,
)
from worker.job import StageJob
from worker.orphans import account_ownership, registry
from worker.orphans.registry import VendorSession

# A paused process may still send the create of a claim it lost; after a day its connection is surely dead.
LATE_EFFECT_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts that no mailing has, the lowest first: those without recipients, and those with."""

    empty: list[int]
    filled: list[int]


def find_orphans(place: VendorSession, above: int = 0) -> Drafts:
    """Return the drafts above an order id that no mailing has.

    The vendor lists orders in no promised sequence (LettrLabs reference, Get Orders), so all drafts are read.
    Raises Unavailable, Refused.
    """
    listed = place.vendor.iter_orders(status=OrderStatus.DRAFT, page_size=500)
    # A server may ignore the filter.
    drafts = {order.id for order in listed if order.status == OrderStatus.DRAFT}
    with place.engine.connect() as connection:
        unexplained = account_ownership.unknown(
            connection, [order_id for order_id in drafts if order_id > above]
        )
    found = {one: registry.has_recipients(place, one) for one in unexplained}
    with place.engine.connect() as connection:
        # A create that was under way when the drafts were listed may be committed, and its order filled, by now.
        filled = account_ownership.unknown(connection, [one for one, has in found.items() if has])
    return Drafts([one for one, has in found.items() if has is False], filled)


def marked_for_deletion(place: VendorSession, order_ids: Iterable[int]) -> set[int]:
    """Return which of these drafts were to be deleted, but are still there: whoever meant to was stopped."""
    doomed = and_(OrphanOrder.order_id.in_(list(order_ids)), OrphanOrder.fate == OrphanStatus.CONDEMNED)
    with place.engine.connect() as connection:
        return set(connection.scalars(select(OrphanOrder.order_id).where(doomed)))


def made_here(place: VendorSession, order_ids: Iterable[int]) -> set[int]:
    """Return which of these orders answered a create of this installation, as its journal has it."""
    answered = select(VendorCall.order_id).where(
        VendorCall.order_id.in_(list(order_ids)),
        VendorCall.operation == "create_order",
        VendorCall.outcome == Outcome.ACCEPTED,
    )
    with place.engine.connect() as connection:
        return {one for one in connection.scalars(answered) if one is not None}


def is_interchangeable(job: StageJob) -> bool:
    """Return whether every create that may have left a draft was of this mailing's template.

    The vendor does not tell a draft's template. Only if all creates that were lost lately, and whose late
    effects may still appear, asked for the same one, any of their drafts may stand for any other.
    """
    lost = (
        select(Mailing.template_id)
        .join(StateChange, StateChange.mailing_id == Mailing.id)
        .where(
            StateChange.stage == Stage.CREATE,
            StateChange.move.in_([Transition.STEAL, Transition.UNSURE]),
            StateChange.at > job.now() - LATE_EFFECT_WINDOW,
        )
    )
    with job.engine.connect() as connection:
        templates = set(connection.scalars(union(lost, select(Mailing.template_id).where(_is_unsure(job)))))
    return templates <= {job.mailing.template_id}


def _is_unsure(job: StageJob) -> ColumnElement[bool]:
    abandoned = and_(Mailing.state == State.WORKING, Mailing.lease_until <= job.now())
    return and_(
        Mailing.stage == Stage.CREATE, Mailing.state.not_in(ENDED), or_(Mailing.recovering, abandoned)
    )


def lost_creates(job: StageJob) -> int:
    """Return how many creates of this installation were lost lately: no more drafts than that can be theirs."""
    return _lost_within(job, LATE_EFFECT_WINDOW)


def none_lost_within_window(job: StageJob) -> bool:
    """Return whether the last lost create is so old that its draft, and who is on it, would be visible."""
    return not _lost_within(job, timedelta(seconds=job.settings.visibility_window_seconds))


def _lost_within(job: StageJob, age: timedelta) -> int:
    lost = (
        StateChange.stage == Stage.CREATE,
        StateChange.move.in_([Transition.STEAL, Transition.UNSURE]),
        StateChange.at > job.now() - age,
    )
    with job.engine.connect() as connection:
        return connection.scalars(select(func.count()).select_from(StateChange).where(*lost)).one()
