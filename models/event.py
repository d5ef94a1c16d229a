"""Events: what happened elsewhere, as it was told, and what became of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, Serial, words

_TIME = DateTime(timezone=True)


class EventOutcome(StrEnum):
    """How far an event is, or how it ended. All but the first four are ends."""

    RECEIVED = "received"
    GATHERING = "gathering"
    ORDERED = "ordered"
    PAID = "paid"
    MAILED = "mailed"
    SUPPRESSED = "suppressed"
    CAPPED = "capped"
    DUPLICATE = "duplicate"
    INVALID_ADDRESS = "invalid_address"
    UNMATCHED = "unmatched"
    FAILED = "failed"


class Event(Base):
    """One event, once for its source and id. ``body`` is its canonical JSON, and may hold a person's address.

    ``outcome`` is received until triggers were asked; then unmatched, failed, or ordered: each trigger that answers
    has a firing, which says more. ``wake_at`` is when a received event is looked at (again). A body that is gone
    was erased.
    """

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        Index("ix_event_due", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
        CheckConstraint("(outcome = 'received') = (wake_at IS NOT NULL)", name="received_wakes"),
        CheckConstraint("outcome IN ('received', 'ordered') OR reason IS NOT NULL", name="ends_with_reason"),
    )

    id: Mapped[Serial]
    source: Mapped[str]
    event_id: Mapped[str]
    type: Mapped[str]
    digest: Mapped[bytes]
    body: Mapped[str | None]
    received_at: Mapped[Instant]
    outcome: Mapped[EventOutcome] = mapped_column(words(EventOutcome, "outcome"), server_default="received")
    wake_at: Mapped[datetime | None] = mapped_column(_TIME)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    reason: Mapped[str | None]

    def __repr__(self) -> str:
        return f"Event(id={self.id}, outcome={self.outcome})"


class TriggerRun(Base):
    """One trigger's answer to one event, at most one for each pair.

    With a mailing its outcome follows from the mailing and the recipient at ``position``: ordered here, paid once
    that is sent, mailed once the vendor shows its order so. ``due`` is when its mailing may be paid for.
    ``digest`` is the person's.
    """

    __tablename__ = "firing"
    __table_args__ = (
        UniqueConstraint("trigger_id", "event_id"),
        Index(None, "event_id"),
        Index(None, "mailing_id"),
        Index(None, "digest"),
        Index(None, "gathering_id"),
        CheckConstraint("(outcome = 'ordered') = (mailing_id IS NOT NULL)", name="ordered_by_mailing"),
        CheckConstraint("(mailing_id IS NULL) = (position IS NULL)", name="place_in_mailing"),
        CheckConstraint("outcome <> 'gathering' OR gathering_id IS NOT NULL", name="gathers_somewhere"),
        CheckConstraint("outcome IN ('gathering', 'ordered') OR reason IS NOT NULL", name="ends_with_reason"),
    )

    id: Mapped[Serial]
    trigger_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("trigger.id"))
    version: Mapped[int]
    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("event.id", ondelete="CASCADE"))
    outcome: Mapped[EventOutcome] = mapped_column(words(EventOutcome, "outcome"))
    reason: Mapped[str | None]
    digest: Mapped[bytes | None]
    due: Mapped[datetime | None] = mapped_column(_TIME)
    gathering_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("gathering.id"))
    mailing_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("mailing.id"))
    position: Mapped[int | None]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    at: Mapped[Instant]
