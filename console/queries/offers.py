"""What a person is asked to approve: orders added up, and exactly what an approval of them binds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from console.queries.mailings import MailingFacts, mailing
from console.queries.quotes import Line, QuoteFacts, latest_quote
from models import Campaign, HoldMode, Mailing, Outcome, Recipient
from worker.billing.approval_terms import ApprovalTerms, current_terms

_MOST_REASONS: Final = 10
_AMOUNTS: Final = ("charges", "tax", "credits", "total", "from_credits")


@dataclass(frozen=True, slots=True)
class Terms:
    """What an approval of one mailing binds: the offer, and the dates that are shown beside it."""

    offer: ApprovalTerms
    send_at: datetime | None
    hold_until: date | None
    hold_mode: HoldMode | None
    deliver_by: date | None


@dataclass(frozen=True, slots=True)
class Unmailed:
    """How many people of the orders are not mailed for one reason."""

    outcome: Outcome
    reason: str | None
    people: int


@dataclass(frozen=True, slots=True)
class OfferSum:
    """Orders that wait for approval, added up. Money is in the vendor's currency.

    `rejected_rows` are rows of the campaigns' files that no order contains.
    """

    orders: tuple[MailingFacts, ...]
    terms: dict[int, Terms]
    campaigns: tuple[tuple[int, str], ...]
    quote: QuoteFacts | None
    unmailed: tuple[Unmailed, ...]
    rejected_rows: int

    @property
    def pieces(self) -> int:
        """People who would be mailed."""
        return sum(one.offer.pieces for one in self.terms.values())

    @property
    def total(self) -> Decimal:
        """What the orders cost, which an approval binds."""
        return sum((one.offer.total or Decimal(0) for one in self.terms.values()), Decimal(0))

    @property
    def from_credits(self) -> Decimal:
        """How much of the cost the account's credits pay."""
        return sum((one.offer.from_credits or Decimal(0) for one in self.terms.values()), Decimal(0))


def offer_sum(connection: Connection, mailing_ids: Sequence[int]) -> OfferSum:
    """Return what approving these mailings would bind; mailings that do not exist are left out."""
    orders = tuple(one for one in (mailing(connection, number) for number in mailing_ids) if one)
    numbers = [one.id for one in orders]
    quotes = [one for one in (latest_quote(connection, number) for number in numbers) if one]
    campaigns = _campaigns(connection, numbers)
    return OfferSum(
        orders=orders,
        terms=terms(connection, numbers),
        campaigns=tuple((row.id, row.name) for row in campaigns),
        quote=added_up(quotes) if quotes else None,
        unmailed=_unmailed(connection, numbers),
        rejected_rows=sum(row.rejected for row in campaigns),
    )


def terms(connection: Connection, mailing_ids: Iterable[int]) -> dict[int, Terms]:
    """Return what an approval of each mailing would bind; mailings that do not exist are left out."""
    found = {}
    for number in mailing_ids:
        offer, facts = current_terms(connection, number), mailing(connection, number)
        if offer is not None and facts is not None:
            dates = (facts.send_at, facts.hold_until, facts.hold_mode, facts.deliver_by)
            found[number] = Terms(offer, *dates)
    return found


def added_up(quotes: Sequence[QuoteFacts]) -> QuoteFacts:
    """Return one quote for all.

    Amounts and lines of the same name are added; delivery spans from the earliest to the latest day.
    """
    first = quotes[0]
    sums: dict[str, Any] = {name: _sum(getattr(one, name) for one in quotes) for name in _AMOUNTS}
    earliest = [one.delivery_min for one in quotes if one.delivery_min]
    latest = [one.delivery_max for one in quotes if one.delivery_max]
    return replace(
        first,
        **sums,
        postage=", ".join(dict.fromkeys(one.postage for one in quotes)),
        speed=", ".join(dict.fromkeys(one.speed for one in quotes)),
        delivery_min=min(earliest, default=None),
        delivery_max=max(latest, default=None),
        lines=_added_lines(quotes),
    )


def _added_lines(quotes: Iterable[QuoteFacts]) -> tuple[Line, ...]:
    found: dict[tuple[object, ...], Line] = {}
    for quote in quotes:
        paths: dict[int, tuple[object, ...]] = {}
        for line in quote.lines:
            above = () if line.parent is None else paths.get(line.parent, ())
            path = paths[line.position] = (*above, (line.name, line.is_credit))
            parent = found.get(above)
            before = found.get(path)
            found[path] = _added(before, line, len(found), None if parent is None else parent.position)
    return tuple(sorted(found.values(), key=lambda line: line.position))


def _added(before: Line | None, line: Line, position: int, parent: int | None) -> Line:
    if before is None:
        return replace(line, position=position, parent=parent)
    return replace(
        before,
        quantity=_sum((before.quantity, line.quantity)),
        rate=before.rate if before.rate == line.rate else None,
        tax=_sum((before.tax, line.tax)),
        total=_sum((before.total, line.total)),
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum, None if one of them is not known: not stated is not zero."""
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _campaigns(connection: Connection, mailing_ids: Sequence[int]) -> Sequence[Row[int, str, int]]:
    of_them = select(Mailing.campaign_id).where(Mailing.id.in_(mailing_ids))
    query = select(Campaign.id, Campaign.name, Campaign.rejected)
    return connection.execute(query.where(Campaign.id.in_(of_them)).order_by(Campaign.id)).all()


def _unmailed(connection: Connection, mailing_ids: Sequence[int]) -> tuple[Unmailed, ...]:
    people = func.count().label("people")
    rows = connection.execute(
        select(Recipient.outcome, Recipient.reason, people)
        .where(Recipient.mailing_id.in_(mailing_ids), Recipient.outcome != Outcome.ACCEPTED)
        .group_by(Recipient.outcome, Recipient.reason)
        .order_by(people.desc(), Recipient.reason)
        .limit(_MOST_REASONS)
    )
    return tuple(Unmailed(*row) for row in rows)
