"""A campaign: one file of people, cut into mailings."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, Serial, Written


class Campaign(Base):
    """What was submitted under one key, or opened by a rule. How far it is follows from its mailings' rows."""

    __tablename__ = "campaign"
    __table_args__ = (
        UniqueConstraint("key"),
        UniqueConstraint("recurrence_id", "occurrence_at"),
        CheckConstraint("(recurrence_id IS NULL) = (occurrence_at IS NULL)", name="occurrence_of_a_rule"),
        CheckConstraint("rows = people + rejected", name="rows_add_up"),
        Index("ix_campaign_request_digest", "request_digest"),
    )

    id: Mapped[Serial]
    key: Mapped[str]
    request_digest: Mapped[bytes]
    name: Mapped[str]
    rows: Mapped[int]
    people: Mapped[int]
    rejected: Mapped[int]
    mailings: Mapped[int]
    recurrence_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("recurrence.id"))
    occurrence_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Written]


class RejectedRow(Base):
    """A row of the file that was not fit to be mailed. Number and reason only: the person stays in the file."""

    __tablename__ = "rejected_row"

    campaign_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True
    )
    row: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    reason: Mapped[str]


class ColumnMapping(Base):
    """A saved mapping, by its name. `headings_digest` is of all headings of the list, whatever their order."""

    __tablename__ = "column_mapping"

    name: Mapped[str] = mapped_column(primary_key=True)
    headings_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    headings: Mapped[list[str]] = mapped_column(ARRAY(Text))
    mapping: Mapped[dict[str, str]] = mapped_column(JSONB)
    saved_by: Mapped[str]
    saved_at: Mapped[Instant]
