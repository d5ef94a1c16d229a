"""Evidence: every vendor call, every move, and who was alive. Rows here are written once and never changed."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, Serial


class VendorCall(Base):
    """One call to the vendor as the caller saw it. ``request`` and ``answer`` sum up without personal data."""

    __tablename__ = "vendor_call"
    __table_args__ = (Index(None, "mailing_id"),)

    id: Mapped[Serial]
    mailing_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"))
    stage: Mapped[str | None]
    claim: Mapped[UUID | None]
    operation: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    outcome: Mapped[str]
    status: Mapped[int | None]
    request_id: Mapped[str | None]
    words: Mapped[str | None]
    reason_code: Mapped[str | None]
    order_id: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[Instant]
    elapsed_ms: Mapped[int]


class StateChange(Base):
    """One move of one mailing: which, when, by whom, and where it left the row."""

    __tablename__ = "event_log"
    __table_args__ = (
        Index(None, "mailing_id"),
        Index(
            "ix_event_log_unsure_create",
            "at",
            postgresql_where=text("stage = 'create' AND move IN ('steal', 'unsure')"),
        ),
    )

    id: Mapped[Serial]
    mailing_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"))
    at: Mapped[Instant]
    move: Mapped[str]
    stage: Mapped[str]
    state: Mapped[str]
    actor: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Heartbeat(Base):
    """The last sign of life of a process or a periodic duty."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[Instant]
