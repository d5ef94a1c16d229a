"""Approvals: who agreed to what, or refused it. Rows here are written once and never changed."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CENTS, Base, Instant, Serial, words


class Decision(StrEnum):
    """What a person decided."""

    APPROVED = "approved"
    REJECTED = "rejected"


class ApprovalDecision(Base):
    """One decision about one mailing, and exactly what it was about.

    A mailing's last ``approved`` row binds it while the mailing's ``approved_at`` is set.
    """

    __tablename__ = "approval"
    __table_args__ = (Index(None, "mailing_id"),)

    id: Mapped[Serial]
    mailing_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"))
    verdict: Mapped[Decision] = mapped_column(words(Decision, "verdict"))
    who: Mapped[str]
    at: Mapped[Instant]
    why: Mapped[str | None]
    pieces: Mapped[int]
    recipients_digest: Mapped[bytes | None]
    proof_sha256: Mapped[bytes | None]
    options: Mapped[dict[str, Any]] = mapped_column(JSONB)
    total: Mapped[Decimal | None] = mapped_column(CENTS)
    from_credits: Mapped[Decimal | None] = mapped_column(CENTS)
