"""What the vendor made of an order after its payment."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

_TIME = DateTime(timezone=True)


class PaidOrder(Base):
    """The order of a sent mailing as the vendor last showed it; ``wake_at`` is the next look, none the end.

    ``mailed_at`` is when the vendor first showed it as mailed. The counts are pieces and scans of QR codes as the
    vendor's analytics tell them, null until they do. ``misses`` counts failed looks since the last good one.
    """

    __tablename__ = "paid_order"
    __table_args__ = (Index("ix_paid_order_due", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),)

    mailing_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    wake_at: Mapped[datetime | None] = mapped_column(_TIME)
    misses: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    looked_at: Mapped[datetime | None] = mapped_column(_TIME)
    status: Mapped[str | None]
    status_since: Mapped[datetime | None] = mapped_column(_TIME)
    mailed_at: Mapped[datetime | None] = mapped_column(_TIME)
    expected_from: Mapped[datetime | None] = mapped_column(_TIME)
    expected_until: Mapped[datetime | None] = mapped_column(_TIME)
    pieces: Mapped[int | None]
    waiting: Mapped[int | None]
    posted: Mapped[int | None]
    in_transit: Mapped[int | None]
    at_local_facility: Mapped[int | None]
    delivered: Mapped[int | None]
    undeliverable: Mapped[int | None]
    scans: Mapped[int | None]
    last_scan: Mapped[datetime | None] = mapped_column(_TIME)
