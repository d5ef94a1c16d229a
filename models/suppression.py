"""Who is not to be mailed: lists of digests, what a mailing spares people from, and who asked to be forgotten."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, Written, words

DO_NOT_MAIL = "do-not-mail"
"""The list that every mailing obeys; another one only those that name it."""


class IdentityKind(StrEnum):
    """What somebody is known by. A person is a name at an address."""

    PERSON = "person"
    ADDRESS = "address"
    EMAIL = "email"
    CUSTOMER = "customer"


class SuppressionList(Base):
    """A list by its name, there before its entries: a misspelt name is noticed, not obeyed as an empty list."""

    __tablename__ = "suppression_list"

    name: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[Written]


class Suppression(Base):
    """One mark that is not mailed, as the keyed digest of its normal form: the list holds nobody's name or address.

    ``source`` says where it came from, such as a file's name.
    """

    __tablename__ = "suppression"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    list: Mapped[str] = mapped_column(
        ForeignKey("suppression_list.name", ondelete="CASCADE"), primary_key=True
    )
    mark: Mapped[IdentityKind] = mapped_column(words(IdentityKind, "mark"))
    source: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[Instant]


class CapPer(StrEnum):
    """Whose pieces a frequency cap counts."""

    PERSON = "person"
    ADDRESS = "address"


SPARING_CHECKS = (
    CheckConstraint(
        "(cap_pieces IS NULL) = (cap_days IS NULL) AND (cap_pieces IS NULL) = (cap_per IS NULL)",
        name="cap_whole",
    ),
    CheckConstraint("cap_pieces > 0 AND cap_days > 0", name="cap_positive"),
)


class RecipientPolicyColumns:
    """Whom a mailing spares: who is on the lists it obeys besides do-not-mail, and who gets enough without it.

    At most ``cap_pieces`` in any ``cap_days`` days; without a cap of its own the installation's holds.
    ``forgotten_at`` is when its personal data was blanked.
    """

    suppress: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    cap_pieces: Mapped[int | None]
    cap_days: Mapped[int | None]
    cap_per: Mapped[CapPer | None] = mapped_column(words(CapPer, "cap_per"))
    one_per_household: Mapped[bool] = mapped_column(server_default=text("false"))
    forgotten_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Erasure(Base):
    """Somebody to be forgotten who is still on a mailing under way: done once that has ended."""

    __tablename__ = "erasure"
    __table_args__ = (
        ForeignKeyConstraint(
            ["mailing_id", "position"], ["recipient.mailing_id", "recipient.position"], ondelete="CASCADE"
        ),
    )

    mailing_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    asked_at: Mapped[Instant]
