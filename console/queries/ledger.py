"""The ledger: what was quoted, approved, charged and credited, per order, campaign or day."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Date, case, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from models import ApprovalDecision, Campaign, Charge, Decision, Mailing, State
from worker.billing.amounts import added

AMOUNTS: Final = ("quoted", "approved", "charged", "credited", "paid", "from_credits", "difference")


class Grouping(StrEnum):
    """What one line of the ledger is about."""

    ORDER = "order"
    CAMPAIGN = "campaign"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line, in the vendor's currency. ``paid`` is the cost: what was charged less discounts and refunds.

    The account's credits paid ``from_credits`` of that. ``quoted`` is of every order that has a price and is not
    given up, ``approved`` of those that were agreed to; ``difference`` is what was paid beyond the quotes of what
    is paid.
    """

    label: str
    orders: int
    pieces: int
    quoted: Decimal
    approved: Decimal
    charged: Decimal
    credited: Decimal
    paid: Decimal
    from_credits: Decimal
    difference: Decimal
    name: str | None = None


@dataclass(frozen=True, slots=True)
class _Order:
    mailing_id: int
    campaign_id: int | None
    order_id: int | None
    day: date | None
    pieces: int
    quoted: Decimal
    approved: Decimal
    charged: Decimal
    credited: Decimal
    from_credits: Decimal
    is_paid: bool
    campaign: str | None


def ledger(
    connection: Connection,
    by: Grouping,
    *,
    zone: str,
    since: date | None = None,
    until: date | None = None,
) -> list[LedgerLine]:
    """Return the ledger's lines. A day is that of the payment in `zone`; with days given, both are included."""
    label, place = _READ_AS[by]
    orders = sorted(_orders(connection, zone, since, until), key=place)
    return [_sum(name, list(those)) for name, those in groupby(orders, key=label)]


def _order_label(one: _Order) -> str:
    return f"{one.order_id or '-'} (mailing {one.mailing_id})"


def _campaign_label(one: _Order) -> str:
    return "-" if one.campaign_id is None else str(one.campaign_id)


def _day_label(one: _Order) -> str:
    return "not paid" if one.day is None else one.day.isoformat()


_READ_AS: Final[Mapping[Grouping, tuple[Callable[[_Order], str], Callable[[_Order], tuple[object, ...]]]]] = {
    Grouping.ORDER: (_order_label, lambda one: (one.mailing_id,)),
    Grouping.CAMPAIGN: (_campaign_label, lambda one: (one.campaign_id or 0, one.mailing_id)),
    Grouping.DAY: (_day_label, lambda one: (_day_label(one), one.mailing_id)),
}


def total(entries: Iterable[LedgerLine]) -> LedgerLine:
    """Return the sum of all lines."""
    given = list(entries)

    def of(name: str) -> Decimal:
        return added(getattr(one, name) for one in given)

    amounts: dict[str, Any] = {name: of(name) for name in AMOUNTS}
    return LedgerLine(
        label="all",
        orders=sum(one.orders for one in given),
        pieces=sum(one.pieces for one in given),
        **amounts,
    )


def _sum(label: str, orders: list[_Order]) -> LedgerLine:
    def of(name: str) -> Decimal:
        return added(getattr(one, name) for one in orders)

    paid = of("charged") - of("credited")
    quoted_of_paid = added(one.quoted for one in orders if one.is_paid)
    return LedgerLine(
        label=label,
        orders=len(orders),
        pieces=sum(one.pieces for one in orders),
        quoted=of("quoted"),
        approved=of("approved"),
        charged=of("charged"),
        credited=of("credited"),
        paid=paid,
        from_credits=of("from_credits"),
        difference=paid - quoted_of_paid,
        name=_common({one.campaign for one in orders}),
    )


def _common(names: set[str | None]) -> str | None:
    return next(iter(names)) if len(names) == 1 else None


def _orders(connection: Connection, zone: str, since: date | None, until: date | None) -> Iterator[_Order]:
    charges = (
        select(
            Charge.mailing_id,
            func.sum(case((Charge.is_credit, 0), else_=Charge.amount)).label("charged"),
            func.sum(case((Charge.is_credit & ~Charge.pays, Charge.amount), else_=0)).label("credited"),
            func.sum(case((Charge.pays, Charge.amount), else_=0)).label("from_credits"),
        )
        .group_by(Charge.mailing_id)
        .subquery()
    )
    agreed = (
        select(ApprovalDecision.mailing_id, ApprovalDecision.total)
        .ext(distinct_on(ApprovalDecision.mailing_id))
        .where(ApprovalDecision.verdict == Decision.APPROVED)
        .order_by(ApprovalDecision.mailing_id, ApprovalDecision.id.desc())
        .subquery()
    )
    day = cast(func.timezone(zone, Mailing.paid_at), Date)
    zero = Decimal(0)
    query = (
        select(
            Mailing.id,
            Mailing.campaign_id,
            Mailing.order_id,
            day,
            Mailing.accepted,
            func.coalesce(Mailing.quoted, zero),
            case((Mailing.approved_at.is_not(None), func.coalesce(agreed.c.total, zero)), else_=zero),
            func.coalesce(charges.c.charged, zero),
            func.coalesce(charges.c.credited, zero),
            func.coalesce(charges.c.from_credits, zero),
            Mailing.paid_at.is_not(None),
            Campaign.name,
        )
        .join(Campaign, isouter=True)
        .join(charges, charges.c.mailing_id == Mailing.id, isouter=True)
        .join(agreed, agreed.c.mailing_id == Mailing.id, isouter=True)
        .where(Mailing.quoted.is_not(None))
        .where(Mailing.state.not_in([State.CANCELLED, State.FAILED]) | Mailing.paid_at.is_not(None))
    )
    if since is not None:
        query = query.where(day >= since)
    if until is not None:
        query = query.where(day <= until)
    for row in connection.execute(query):
        yield _Order(*row)
