"""Money: what the vendor asked (quote, line by line) and what it took (charges)."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CENTS, Base, Instant, Money, Serial, Written


class Quote(Base):
    """One checkout summary as the vendor gave it. ``total`` is the balance that checkout would charge."""

    __tablename__ = "quote"
    __table_args__ = (Index(None, "mailing_id"),)

    id: Mapped[Serial]
    mailing_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"))
    postage: Mapped[str]
    speed: Mapped[str]
    charges: Mapped[Money]
    tax: Mapped[Money]
    credits: Mapped[Money]
    total: Mapped[Money]
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
    total: Mapped[Money]
    kind: Mapped[str | None]
    sub_kind: Mapped[str | None]


class Charge(Base):
    """One transaction that the vendor shows for an order, under the vendor's own number."""

    __tablename__ = "charge"
    __table_args__ = (UniqueConstraint("vendor_id"), Index(None, "mailing_id"))

    id: Mapped[Serial]
    mailing_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"))
    vendor_id: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[Money]
    is_credit: Mapped[bool]
    description: Mapped[str | None]
    made_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[Written]
