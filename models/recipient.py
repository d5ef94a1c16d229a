"""A recipient: one person on one mailing, and what the vendor made of them."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, words


class Outcome(StrEnum):
    """How far a recipient is: not handed over, handed over, on the order, or refused."""

    WAITING = "waiting"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Recipient(Base):
    """A person at an address, in the place they have in their mailing (from 0).

    ``row`` is the row of the file they came from, ``digest`` that of the normal form of name and address,
    ``vendor_id`` the vendor's number for them, known once they were read back from the order.
    """

    __tablename__ = "recipient"

    mailing_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("mailing.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    row: Mapped[int | None]
    digest: Mapped[bytes]
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
    merge: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    outcome: Mapped[Outcome] = mapped_column(words(Outcome, "outcome"), server_default="waiting")
    vendor_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None]

    def __repr__(self) -> str:
        return f"Recipient(mailing_id={self.mailing_id}, position={self.position}, outcome={self.outcome})"
