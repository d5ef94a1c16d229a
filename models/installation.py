"""What there is one of: the installation itself, the create gate, and the vendor orders no mailing explains."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, words


class Installation(Base):
    """The one row that says whether anything may be written to the vendor at all.

    ``epoch`` moves on every minute and is also kept in Redis: a copy or an old backup of this database has an epoch
    that is not the current one, and is disarmed. ``home`` is the database server and database it lives in.
    ``shared_at`` is when the vendor's orders contradicted that the account is exclusive; orders up to
    ``account_fence`` were seen by the operator who armed it. ``doubted_at`` is when Redis had lost the epoch: nothing
    is sent until the vendor's orders show that this is no copy.
    ``digest_key`` keys every digest of a person: it stays with them, for without it no list could be obeyed.
    """

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1", autoincrement=False)
    epoch: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    epoch_before: Mapped[UUID | None]
    epoch_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    home: Mapped[str | None]
    digest_key: Mapped[bytes] = mapped_column(
        server_default=text("(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))")
    )
    disarmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    disarmed_why: Mapped[str | None]
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    account_fence: Mapped[int | None] = mapped_column(BigInteger)
    account_fence_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    shared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    shared_why: Mapped[str | None]
    doubted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class CreateGate(Base):
    """Closed while unsure creates are found out, so that no new draft can appear meanwhile.

    ``holder`` is the mailing it was closed for. It opens by itself at ``closed_until``: whoever closed it may
    have died.
    """

    __tablename__ = "create_gate"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1", autoincrement=False)
    holder: Mapped[int | None] = mapped_column(BigInteger)
    closed_until: Mapped[Instant] = mapped_column(server_default=text("'-infinity'"))


class OrphanStatus(StrEnum):
    """What became of a draft that no mailing explained."""

    SEEN = "seen"
    ADOPTED = "adopted"
    CONDEMNED = "condemned"
    DELETED = "deleted"


class OrphanOrder(Base):
    """A vendor order that appeared without a mailing. Its key makes adopting and deleting exclude each other."""

    __tablename__ = "stray"

    order_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    fate: Mapped[OrphanStatus] = mapped_column(words(OrphanStatus, "fate"))
    sightings: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    why: Mapped[str]
    first_seen: Mapped[Instant]
    last_seen: Mapped[Instant]
