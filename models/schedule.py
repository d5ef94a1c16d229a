"""When: the times a mailing keeps, the rule a campaign repeats by, and the grid of prices and dates it chose from."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, ForeignKey, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CENTS, Base, Instant, Money, Serial, Written, words

_TIME = DateTime(timezone=True)
DAY_SECONDS = 86_400


class HoldMode(StrEnum):
    """Who keeps a mailing until its hold date: we, unpaid and cancellable, or the vendor, paid."""

    LOCAL = "local"
    VENDOR = "vendor"


class IfLate(StrEnum):
    """What becomes of a mailing whose time was missed by more than its maximum lateness."""

    SEND = "send"
    SKIP = "skip"
    ASK = "ask"


class CatchUp(StrEnum):
    """Which occurrences are made up for that nobody was there to open."""

    ALL = "all"
    LAST = "last"
    NONE = "none"


SCHEDULE_CHECKS = (
    CheckConstraint(
        "(send_at IS NULL) = (send_wall IS NULL) AND (send_wall IS NULL OR zone IS NOT NULL)",
        name="instant_of_a_wall_time",
    ),
    CheckConstraint("(hold_until IS NULL) = (hold_mode IS NULL)", name="hold_has_a_mode"),
    CheckConstraint("hold_mode <> 'local' OR send_at IS NOT NULL", name="local_hold_waits_here"),
    CheckConstraint("late_after >= 0", name="late_after_not_negative"),
)


class Scheduled:
    """The times of a mailing. It is paid for not before ``send_at``, which is ``send_wall`` in ``zone``.

    ``late_after`` is in seconds. ``price_until`` says until when approval keeps the quoted price of a mailing with
    a ``deliver_by``, and ``price_after`` what the next choice in time costs: None if then none is left.
    """

    send_at: Mapped[datetime | None] = mapped_column(_TIME)
    send_wall: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    zone: Mapped[str | None] = mapped_column(Text)
    hold_until: Mapped[date | None] = mapped_column(Date)
    hold_mode: Mapped[HoldMode | None] = mapped_column(words(HoldMode, "hold_mode"))
    deliver_by: Mapped[date | None] = mapped_column(Date)
    if_late: Mapped[IfLate] = mapped_column(words(IfLate, "if_late"), server_default="ask")
    late_after: Mapped[int] = mapped_column(Integer, server_default=text(str(DAY_SECONDS)))
    price_until: Mapped[datetime | None] = mapped_column(_TIME)
    price_after: Mapped[Decimal | None] = mapped_column(CENTS)


class DeliveryOptionRow(Base):
    """One cell of a mailing's grid: what postage, speed and hold date cost, and by when the last piece arrives.

    ``arrives`` counts from the day it will be paid; the vendor's own dates count from the day of the quote.
    """

    __tablename__ = "choice"
    __table_args__ = (Index(None, "mailing_id"),)

    id: Mapped[Serial]
    mailing_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"))
    postage: Mapped[str]
    speed: Mapped[str]
    hold_until: Mapped[date | None] = mapped_column(Date)
    total: Mapped[Money]
    produced: Mapped[datetime | None] = mapped_column(_TIME)
    delivery_min: Mapped[datetime | None] = mapped_column(_TIME)
    delivery_max: Mapped[datetime | None] = mapped_column(_TIME)
    arrives: Mapped[date | None] = mapped_column(Date)
    meets: Mapped[bool]
    chosen: Mapped[bool]
    taken_at: Mapped[Instant]


class Recurrence(Base):
    """A rule that opens a campaign again and again, each a copy of the first under this rule.

    ``last_at`` is the last occurrence that is accounted for, ``wake_at`` when the next is opened: None once no more
    is to come.
    """

    __tablename__ = "recurrence"
    __table_args__ = (Index("ix_recurrence_due", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),)

    id: Mapped[Serial]
    cron: Mapped[str]
    zone: Mapped[str]
    catch_up: Mapped[CatchUp] = mapped_column(words(CatchUp, "catch_up"))
    if_late: Mapped[IfLate] = mapped_column(words(IfLate, "if_late"))
    late_after: Mapped[int]
    last_at: Mapped[Instant]
    wake_at: Mapped[datetime | None] = mapped_column(_TIME)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME)
    created_at: Mapped[Written]
