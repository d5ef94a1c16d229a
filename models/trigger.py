"""Triggers: which events make mailings, version by version, and the batches they gather."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, Serial, Written


class Trigger(Base):
    """A trigger by its name. ``version`` is the one in force; a retired trigger answers no event any more."""

    __tablename__ = "trigger"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[Serial]
    name: Mapped[str]
    version: Mapped[int]
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Written]


class TriggerVersion(Base):
    """A trigger as it was declared once. Rows here are written once: what an event met stays known."""

    __tablename__ = "trigger_version"

    trigger_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("trigger.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    declaration: Mapped[dict[str, Any]] = mapped_column(JSONB)
    loaded_by: Mapped[str]
    loaded_at: Mapped[Instant]


class EventBatch(Base):
    """The events of one trigger's version that become one order; at most one gathers at a time.

    It is closed at ``close_at``, or once it holds as many as its trigger says. Closed without a mailing, nobody
    of it could be mailed any more.
    """

    __tablename__ = "gathering"
    __table_args__ = (
        Index(
            "ix_gathering_open",
            "trigger_id",
            "version",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_gathering_due", "close_at", postgresql_where=text("closed_at IS NULL")),
        CheckConstraint("mailing_id IS NULL OR closed_at IS NOT NULL", name="mails_once_closed"),
    )

    id: Mapped[Serial]
    trigger_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("trigger.id"))
    version: Mapped[int]
    size: Mapped[int]
    opened_at: Mapped[Instant]
    close_at: Mapped[Instant]
    attempts: Mapped[int] = mapped_column(server_default="0")
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    mailing_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("mailing.id"))
