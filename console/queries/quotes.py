"""What a mailing would cost, line by line, as the vendor said it last; and what was charged."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, select

from models import Charge, Quote, QuoteLine


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `parent` is the position of the line it is part of."""

    position: int
    parent: int | None
    is_credit: bool
    name: str
    quantity: Decimal | None
    rate: Decimal | None
    tax: Decimal | None
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class QuoteFacts:
    """A quote; `total` is what the order costs, of which the account's credits pay `from_credits`.

    Money is in the vendor's currency; None is an amount that the vendor did not state.
    """

    taken_at: datetime
    postage: str
    speed: str
    charges: Decimal | None
    tax: Decimal | None
    credits: Decimal | None
    total: Decimal
    from_credits: Decimal
    delivery_min: datetime | None
    delivery_max: datetime | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """One transaction the vendor shows for the order."""

    vendor_id: int | None
    amount: Decimal | None
    is_credit: bool
    pays: bool
    description: str | None
    made_at: datetime | None


def latest_quote(connection: Connection, mailing_id: int) -> QuoteFacts | None:
    """Return the quote that holds, or None before there is one."""
    names = [name for name in QuoteFacts.__slots__ if name != "lines"]
    row = connection.execute(
        select(Quote.id, *(getattr(Quote, name) for name in names))
        .where(Quote.mailing_id == mailing_id)
        .order_by(Quote.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    facts = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return QuoteFacts(lines=_lines(connection, facts.pop("id")), **facts)


def charges(connection: Connection, mailing_id: int) -> list[ChargeFacts]:
    """Return what the vendor took and gave back, in the sequence it was learnt."""
    columns = tuple(getattr(Charge, name) for name in ChargeFacts.__slots__)
    rows = connection.execute(select(*columns).where(Charge.mailing_id == mailing_id).order_by(Charge.id))
    return [ChargeFacts(*row) for row in rows]


def _lines(connection: Connection, quote_id: int) -> tuple[Line, ...]:
    columns = tuple(getattr(QuoteLine, name) for name in Line.__slots__)
    rows = connection.execute(
        select(*columns).where(QuoteLine.quote_id == quote_id).order_by(QuoteLine.position)
    )
    return tuple(Line(*row) for row in rows)
