"""Everything that waits for a person: approvals, orders that need attention, campaigns that failed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from console.queries.actions import Action, approval_actions, attention_actions, failed_actions
from models import Campaign, Mailing, Stage, State

# A failure has no acknowledgement: after a month it is history.
FAILED_SHOWN: Final = timedelta(days=30)
# The reason code of a mailing that a person gave up: that person knows.
_GIVEN_UP: Final = "person"


class Kind(StrEnum):
    """Why a person is needed."""

    ATTENTION = "attention"
    APPROVAL = "approval"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pending:
    """One thing that waits for a person: an order, or the orders of a campaign that wait for the same reason.

    `mailing_id`, `stage` and `order_id` are those of the first order. `amount` is the sum of the quotes, in the
    vendor's currency.
    """

    kind: Kind
    mailing_id: int
    mailings: int
    campaign_id: int | None
    campaign: str | None
    stage: Stage
    order_id: int | None
    amount: Decimal | None
    reason_code: str | None
    reason: str
    since: datetime
    actions: tuple[Action, ...]


def list_pending(connection: Connection, now: datetime, limit: int) -> list[Pending]:
    """Return what waits for a person, orders that need attention first, the oldest of each kind first."""
    # Attention is looked into one by one; the rest is decided for a campaign at once, for each reason.
    one_by_one = or_(Mailing.state == State.ATTENTION, Mailing.campaign_id.is_(None))
    together = case((one_by_one, -Mailing.id), else_=Mailing.campaign_id)
    failed = and_(
        Mailing.state == State.FAILED,
        Mailing.campaign_id.is_not(None),
        Mailing.reason_code.is_distinct_from(_GIVEN_UP),
        Mailing.updated_at > now - FAILED_SHOWN,
    )
    since, first = func.min(Mailing.updated_at), func.min(Mailing.id)
    query = (
        select(
            Mailing.state,
            func.array_agg(aggregate_order_by(Mailing.id, Mailing.id)).label("mailing_ids"),
            func.min(Mailing.campaign_id).label("campaign_id"),
            func.min(Campaign.name).label("campaign"),
            func.min(Mailing.stage).label("stage"),
            func.min(Mailing.order_id).label("order_id"),
            func.sum(Mailing.quoted).label("amount"),
            Mailing.reason_code,
            func.coalesce(func.min(Mailing.reason), "").label("reason"),
            since.label("since"),
        )
        .join(Campaign, isouter=True)
        .where(or_(Mailing.state.in_([State.APPROVAL, State.ATTENTION]), failed))
        .group_by(Mailing.state, together, Mailing.reason_code)
        .order_by(case(_RANKS, value=Mailing.state), since, first)
        .limit(limit)
    )
    return [_pending(dict(row), now) for row in connection.execute(query).mappings()]


def count_pending(found: Iterable[Pending]) -> Counter[Kind]:
    """Return how many orders wait for approval, how many need attention, and how many campaigns failed."""
    counted: Counter[Kind] = Counter()
    for one in found:
        counted[one.kind] += 1 if one.kind is Kind.FAILED else one.mailings
    return counted


_RANKS: Final = {State.ATTENTION: 0, State.APPROVAL: 1, State.FAILED: 2}


def _pending(facts: dict[str, Any], now: datetime) -> Pending:
    kind, mailing_ids = Kind(facts.pop("state")), facts.pop("mailing_ids")
    facts["stage"] = Stage(facts["stage"])
    actions = tuple(_actions(kind, mailing_ids, facts, now))
    return Pending(kind=kind, mailing_id=mailing_ids[0], mailings=len(mailing_ids), actions=actions, **facts)


def _actions(kind: Kind, mailing_ids: list[int], facts: Mapping[str, Any], now: datetime) -> Iterator[Action]:
    match kind:
        case Kind.ATTENTION:
            return attention_actions(mailing_ids[0], facts["stage"], facts["reason_code"], now)
        case Kind.APPROVAL:
            return approval_actions(mailing_ids, facts["campaign_id"], facts["reason_code"], now)
        case Kind.FAILED:
            return failed_actions(facts["campaign_id"])
