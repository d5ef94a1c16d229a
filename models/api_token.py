"""Tokens: who may use the HTTP interface, and for what."""

from datetime import datetime

from sqlalchemy import ARRAY, Boolean, DateTime, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Serial, Written


class Token(Base):
    """A bearer token, known by its SHA-256 alone: its random bytes cannot be guessed back from that.

    ``owner`` is the person who answers for what the token submits; a token made before owners has none. With
    ``approval_required`` an approver must agree to each payment for what it submits. ``last_used_at`` is accurate to
    a minute.
    """

    __tablename__ = "token"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("sha256"))

    id: Mapped[Serial]
    name: Mapped[str]
    owner: Mapped[str | None]
    sha256: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    approval_required: Mapped[bool] = mapped_column(Boolean, server_default=false())
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Written]
