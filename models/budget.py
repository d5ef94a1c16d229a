"""Budgets: how much may be spent, and what of it is reserved or spent already."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CENTS, Base, Instant, Money, words

_LIMITS = ("total", "per_day", "per_month", "per_piece")


class BudgetScope(StrEnum):
    """Whose money a budget limits."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    TRIGGER = "trigger"
    TOKEN = "token"  # noqa: S105 - an API token's budget, not a secret


class ReservationStatus(StrEnum):
    """How far a reservation is: money about to be taken, or taken."""

    RESERVED = "reserved"
    SPENT = "spent"


class Budget(Base):
    """The limits of one purse; a limit that is NULL is none. ``subject`` is 0 for the account.

    The row is also the lock under which money is reserved from the purse.
    """

    __tablename__ = "budget"
    __table_args__ = (
        CheckConstraint("(purse = 'account') = (subject = 0)", name="account_is_one"),
        # PostgreSQL sorts NaN above every number: "not negative" alone would let it in.
        *(
            CheckConstraint(f"{limit} >= 0 AND {limit} < 'NaN'", name=f"{limit}_is_money")
            for limit in _LIMITS
        ),
    )

    purse: Mapped[BudgetScope] = mapped_column(words(BudgetScope, "purse"), primary_key=True)
    subject: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    total: Mapped[Decimal | None] = mapped_column(CENTS)
    per_day: Mapped[Decimal | None] = mapped_column(CENTS)
    per_month: Mapped[Decimal | None] = mapped_column(CENTS)
    per_piece: Mapped[Decimal | None] = mapped_column(CENTS)
    set_by: Mapped[str]
    set_at: Mapped[Instant]


class Reservation(Base):
    """What one mailing takes from every purse it belongs to. Keyed by the mailing, so that it is never held twice.

    ``day`` is the day of its checkout in the installation's zone. A row that is gone was released.
    """

    __tablename__ = "reservation"
    __table_args__ = (
        Index("ix_reservation_day", "day", postgresql_include=["amount"]),
        Index(
            "ix_reservation_campaign",
            "campaign_id",
            "day",
            postgresql_include=["amount"],
            postgresql_where=text("campaign_id IS NOT NULL"),
        ),
        Index(
            "ix_reservation_trigger",
            "trigger_id",
            "day",
            postgresql_include=["amount"],
            postgresql_where=text("trigger_id IS NOT NULL"),
        ),
        Index(
            "ix_reservation_token",
            "token_id",
            "day",
            postgresql_include=["amount"],
            postgresql_where=text("token_id IS NOT NULL"),
        ),
    )

    mailing_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True
    )
    campaign_id: Mapped[int | None] = mapped_column(BigInteger)
    trigger_id: Mapped[int | None] = mapped_column(BigInteger)
    token_id: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[Money]
    day: Mapped[date]
    state: Mapped[ReservationStatus] = mapped_column(words(ReservationStatus, "state"))
    reserved_at: Mapped[Instant]
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
