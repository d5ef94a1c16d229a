"""Money: what the vendor asked (quote, line by line) and what it took (charges)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CENTS, Base, Instant, Money, Serial, Written


class Quote(Base):
    """One checkout summary as the vendor gave it; an amount that it does not state is NULL.

    ``total`` is what the order costs, and ``from_credits`` how much of that the account's credits pay.
    ``accepted`` names the differences in it that an approver had accepted.
    """

    __tablename__ = "quote"
    __table_args__ = (Index(None, "mailing_id"),)

    id: Mapped[Serial]
    mailing_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"))
    postage: Mapped[str]
    speed: Mapped[str]
    charges: Mapped[Decimal | None] = mapped_column(CENTS)
    tax: Mapped[Decimal | None] = mapped_column(CENTS)
    credits: Mapped[Decimal | None] = mapped_column(CENTS)
    total: Mapped[Money]
    from_credits: Mapped[Money] = mapped_column(server_default="0")
    accepted: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    delivery_min: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    delivery_max: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    options: Mapped[dict[str, dict[str, str]]] = mapped_column(JSONB)
    taken_at: Mapped[Instant]


class QuoteLine(Base):
    """One line of a quote; credits are lines too. ``parent`` is the position of the line it is part of."""

    __tablename__ = "quote_line"

    quote_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("quote.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    parent: Mapped[int | None]
    is_credit: Mapped[bool]
    name: Mapped[str]
    quantity: Mapped[Decimal | None] = mapped_column(CENTS)
    rate: Mapped[Decimal | None] = mapped_column(CENTS)
    tax: Mapped[Decimal | None] = mapped_column(CENTS)
    total: Mapped[Decimal | None] = mapped_column(CENTS)
    kind: Mapped[str | None]
    sub_kind: Mapped[str | None]


class Charge(Base):
    """One transaction that the vendor shows for a mailing's order, under the vendor's own number.

    The vendor's numbers are unique within an order at most. ``pays`` marks a credit that paid for the order instead
    of making it cheaper. ``amount`` is NULL if the vendor states none.
    """

    __tablename__ = "charge"
    __table_args__ = (UniqueConstraint("mailing_id", "vendor_id"),)

    id: Mapped[Serial]
    mailing_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"))
    vendor_id: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[Decimal | None] = mapped_column(CENTS)
    is_credit: Mapped[bool]
    pays: Mapped[bool] = mapped_column(server_default=text("false"))
    description: Mapped[str | None]
    made_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[Written]
