"""What others are told: webhooks, the notices on their way to them, and what is still awaited from the post."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, Serial, Written, words

_TIME = DateTime(timezone=True)


class Webhook(Base):
    """Where notices go. ``kinds`` are those that are wanted, none meaning all.

    ``busy_until`` keeps a second sender away, and a webhook that just failed at rest. A disabled one gets nothing.
    """

    __tablename__ = "webhook"
    __table_args__ = (
        CheckConstraint("(disabled_at IS NULL) = (disabled_why IS NULL)", name="disabled_with_reason"),
    )

    id: Mapped[Serial]
    url: Mapped[str]
    secrets: Mapped[list[str]] = mapped_column(ARRAY(Text))
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    busy_until: Mapped[Instant] = mapped_column(server_default=text("'-infinity'"))
    failures: Mapped[int] = mapped_column(server_default="0")
    failing_since: Mapped[datetime | None] = mapped_column(_TIME)
    disabled_at: Mapped[datetime | None] = mapped_column(_TIME)
    disabled_why: Mapped[str | None]
    created_at: Mapped[Written]

    def __repr__(self) -> str:
        return f"Webhook(id={self.id})"


class NotificationType(StrEnum):
    """What webhooks are told about."""

    MAILING_QUOTED = "mailing.quoted"
    MAILING_APPROVED = "mailing.approved"
    MAILING_CHARGED = "mailing.charged"
    MAILING_ATTENTION = "mailing.attention"
    MAILING_SENT = "mailing.sent"
    MAILING_MAILED = "mailing.mailed"
    MAILING_FAILED = "mailing.failed"
    RECIPIENT_REJECTED = "recipient.rejected"
    RECIPIENT_DELIVERED = "recipient.delivered"
    RECIPIENT_UNDELIVERABLE = "recipient.undeliverable"


class WebhookDelivery(Base):
    """One thing to tell one webhook, written with the move it tells of.

    ``wake_at`` is when it is sent (again); without it the notice was taken, or given up. ``uid`` names it to the
    receiver, the same at every try.
    """

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_due", "webhook_id", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
        Index(None, "mailing_id"),
        CheckConstraint("taken_at IS NULL OR wake_at IS NULL", name="taken_sleeps"),
    )

    id: Mapped[Serial]
    uid: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    webhook_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("webhook.id", ondelete="CASCADE"))
    kind: Mapped[NotificationType] = mapped_column(words(NotificationType, "kind", length=32))
    mailing_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"))
    position: Mapped[int | None]
    at: Mapped[Instant]
    wake_at: Mapped[datetime | None] = mapped_column(_TIME)
    attempts: Mapped[int] = mapped_column(server_default="0")
    taken_at: Mapped[datetime | None] = mapped_column(_TIME)
    status: Mapped[int | None]
    why: Mapped[str | None]


class DeliveryTracking(Base):
    """A sent mailing whose pieces are looked for until all have arrived; ``wake_at`` is the next look."""

    __tablename__ = "tracking"
    __table_args__ = (Index("ix_tracking_due", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),)

    mailing_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    wake_at: Mapped[datetime | None] = mapped_column(_TIME)
    until: Mapped[Instant]


class PieceDelivery(Base):
    """How one piece ended on its way: delivered, or undeliverable. A row appears when LettrLabs says so."""

    __tablename__ = "delivery"

    mailing_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    delivered: Mapped[bool]
    at: Mapped[Instant]
