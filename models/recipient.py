"""A recipient: one person on one mailing, and what the vendor made of them."""

from datetime import date
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, words


class Outcome(StrEnum):
    """How far a recipient is: not handed over, handed over, on the order, refused, or spared by a rule of ours."""

    WAITING = "waiting"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    CAPPED = "capped"
    HOUSEHOLD = "household"


SPARED = frozenset({Outcome.SUPPRESSED, Outcome.CAPPED, Outcome.HOUSEHOLD})


class Recipient(Base):
    """A person at an address, in the place they have in their mailing (from 0).

    ``row`` is the row of the file they came from, ``vendor_id`` the vendor's number for them, known once they were
    read back from the order: somebody spared who has one has yet to be taken off it.

    The digests are keyed, of normal forms, and outlast the personal data: ``digest`` of name, organization and
    address, by which duplicates are found; the others as ``models.IdentityKind`` names them, where there is
    such a thing.
    ``counted_on`` is the day a piece counts as mailed for frequency caps: it takes a place from when it is attached.
    """

    __tablename__ = "recipient"
    __table_args__ = (
        # Of all people, not only of those who are counted: a campaign is compared with what is still queued, too.
        Index("ix_recipient_person", "person_digest"),
        Index(
            "ix_recipient_address_counted", "address_digest", postgresql_where=text("counted_on IS NOT NULL")
        ),
        Index(
            "ix_recipient_spared",
            "mailing_id",
            postgresql_where=text("outcome IN ('suppressed', 'capped', 'household')"),
        ),
    )

    mailing_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    row: Mapped[int | None]
    digest: Mapped[bytes]
    person_digest: Mapped[bytes | None]
    address_digest: Mapped[bytes | None]
    email_digest: Mapped[bytes | None]
    customer_digest: Mapped[bytes | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    organization: Mapped[str | None]
    salutation: Mapped[str | None]
    address1: Mapped[str]
    address2: Mapped[str | None]
    city: Mapped[str]
    state: Mapped[str]
    zip_code: Mapped[str]
    country: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    customer_id: Mapped[str | None]
    merge: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    outcome: Mapped[Outcome] = mapped_column(words(Outcome, "outcome"), server_default="waiting")
    vendor_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None]
    counted_on: Mapped[date | None]

    def __repr__(self) -> str:
        return f"Recipient(mailing_id={self.mailing_id}, position={self.position}, outcome={self.outcome})"
