"""Differences in money that an approver has accepted: once for a mailing, or as a kind for the account."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, Serial, words


class Difference(StrEnum):
    """In what a quote contradicts itself or the order, or charges contradict their quote."""

    PARTS = "parts"
    PARTS_TAX = "parts_tax"
    LINES = "lines"
    LINES_TAX = "lines_tax"
    TAX_IN_LINES = "tax_in_lines"
    TAX_IN_CHARGES = "tax_in_charges"
    CREDITS = "credits"
    BALANCE = "balance"
    MISSING_AMOUNT = "missing_amount"
    NO_LINES = "no_lines"
    COSTS_NOTHING = "costs_nothing"
    PIECES = "pieces"
    PIECES_NOT_TOLD = "pieces_not_told"
    OTHER_OPTIONS = "other_options"
    CHARGED_MORE = "charged_more"
    CHARGED_LESS = "charged_less"
    NO_TRANSACTIONS = "no_transactions"
    UNKNOWN_CHARGE = "unknown_charge"
    CHARGED_PIECES = "charged_pieces"


class AcceptedDifference(Base):
    """One decision to go on in spite of a difference.

    With a ``digest`` it is of the one quote, or the charges, that the approver saw; without one it is of the kind,
    for the account, until it is revoked. ``mailing_id`` is the mailing that the decision was made about.
    """

    __tablename__ = "accepted_difference"
    __table_args__ = (
        Index(None, "mailing_id"),
        Index(
            "uq_accepted_difference_standing",
            "kind",
            unique=True,
            postgresql_where=text("digest IS NULL AND revoked_at IS NULL"),
        ),
    )

    id: Mapped[Serial]
    mailing_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("mailing.id", ondelete="SET NULL"))
    kind: Mapped[Difference] = mapped_column(words(Difference, "kind"))
    digest: Mapped[bytes | None]
    who: Mapped[str]
    why: Mapped[str]
    at: Mapped[Instant]
    revoked_by: Mapped[str | None]
    revoked_why: Mapped[str | None]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
