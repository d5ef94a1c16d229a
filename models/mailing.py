"""A mailing: what becomes exactly one order. Its row is the truth; a message is only a wake-up."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CENTS, Base, Instant, Serial, Written, words
from models.schedule import SCHEDULE_CHECKS, Scheduled
from models.states import Approval, Stage, State
from models.suppression import SPARING_CHECKS, RecipientPolicyColumns

_TIME = DateTime(timezone=True)


class Mailing(Scheduled, RecipientPolicyColumns, Base):
    """One order to be. ``stage`` is the next thing to do, ``state`` says who may do it.

    ``not_before`` is when work may go on; ``wake_at`` is when the due scan looks at the row again, which after
    a push lies later, so that a message lost on the way is pushed once more. ``recovering`` says that a write of
    this stage may have happened unseen since ``unsure_since``. ``cursor`` counts recipients handed to the vendor.

    ``order_written_at`` is when a worker last wrote, or may have written, to the vendor's order. ``missing_since`` is
    the first of the looks in a row that did not show what was written; ``unanswered_since`` is the first of the calls
    in a row that the vendor did not answer.
    """

    __tablename__ = "mailing"
    __table_args__ = (
        UniqueConstraint("key"),
        UniqueConstraint("order_id"),
        UniqueConstraint("campaign_id", "batch"),
        CheckConstraint(
            "(state = 'working') = (claim IS NOT NULL) AND (claim IS NULL) = (lease_until IS NULL)",
            name="working_is_claimed",
        ),
        CheckConstraint(
            "CASE WHEN state IN ('queued', 'working') THEN wake_at IS NOT NULL"
            " WHEN state IN ('sent', 'failed', 'cancelled') THEN wake_at IS NULL ELSE true END",
            name="unfinished_wakes",
        ),
        CheckConstraint("stage = 'create' OR order_id IS NOT NULL", name="order_after_create"),
        CheckConstraint("state <> 'sent' OR stage = 'settle'", name="sent_after_settle"),
        CheckConstraint(
            "state NOT IN ('attention', 'failed') OR reason IS NOT NULL", name="ends_with_reason"
        ),
        CheckConstraint("state <> 'approval' OR stage = 'checkout'", name="approval_before_checkout"),
        CheckConstraint("NOT recovering OR unsure_since IS NOT NULL", name="unsure_since_when"),
        CheckConstraint("cursor BETWEEN 0 AND size AND size > 0", name="cursor_within_size"),
        CheckConstraint(
            "(approval = 'over') = (approval_over IS NOT NULL)"
            " AND (approval_over IS NULL OR approval_over >= 0 AND approval_over < 'NaN')",
            name="approval_over_what",
        ),
        *SCHEDULE_CHECKS,
        *SPARING_CHECKS,
        Index("ix_mailing_due", "priority", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
        Index("ix_mailing_asking", "state", postgresql_where=text("state IN ('approval', 'attention')")),
        Index("ix_mailing_failed", "updated_at", postgresql_where=text("state = 'failed'")),
        Index(
            "ix_mailing_creating",
            "id",
            postgresql_where=text("stage = 'create' AND (state = 'working' OR recovering)"),
        ),
        Index(
            "ix_mailing_remembered",
            "updated_at",
            postgresql_where=text("state IN ('sent', 'failed', 'cancelled') AND forgotten_at IS NULL"),
        ),
    )

    id: Mapped[Serial]
    campaign_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("campaign.id"))
    batch: Mapped[int | None]
    key: Mapped[str]
    request_digest: Mapped[bytes]

    stage: Mapped[Stage] = mapped_column(words(Stage, "stage"), server_default="create")
    state: Mapped[State] = mapped_column(words(State, "state"), server_default="queued")
    priority: Mapped[int] = mapped_column(SmallInteger)
    not_before: Mapped[Instant]
    wake_at: Mapped[datetime | None] = mapped_column(_TIME)
    claim: Mapped[UUID | None]
    lease_until: Mapped[datetime | None] = mapped_column(_TIME)
    recovering: Mapped[bool] = mapped_column(server_default=text("false"))
    unsure_since: Mapped[datetime | None] = mapped_column(_TIME)
    order_written_at: Mapped[datetime | None] = mapped_column(_TIME)
    missing_since: Mapped[datetime | None] = mapped_column(_TIME)
    unanswered_since: Mapped[datetime | None] = mapped_column(_TIME)
    resends: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    waits: Mapped[int] = mapped_column(server_default="0")
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]

    template_id: Mapped[int]
    postage: Mapped[str]
    speed: Mapped[str]
    auto_bill: Mapped[bool]
    approval: Mapped[Approval] = mapped_column(words(Approval, "approval"))
    approval_over: Mapped[Decimal | None] = mapped_column(CENTS)
    submitted_by: Mapped[str | None]
    submitter_token: Mapped[str | None]
    trigger_id: Mapped[int | None] = mapped_column(BigInteger)
    approved_at: Mapped[datetime | None] = mapped_column(_TIME)
    approved_by: Mapped[str | None]

    order_id: Mapped[int | None] = mapped_column(BigInteger)
    order_fence: Mapped[int | None] = mapped_column(BigInteger)
    size: Mapped[int]
    cursor: Mapped[int] = mapped_column(server_default="0")
    accepted: Mapped[int] = mapped_column(server_default="0")
    rejected: Mapped[int] = mapped_column(server_default="0")
    recipients_digest: Mapped[bytes | None]
    # Deferred: a move is fenced first, and what it records is written only if the fence held.
    proof_sha256: Mapped[bytes | None] = mapped_column(
        LargeBinary, ForeignKey("proof.sha256", deferrable=True, initially="DEFERRED")
    )
    # What the order costs. How much of that the account's credits pay stands beside it.
    quoted: Mapped[Decimal | None] = mapped_column(CENTS)
    quoted_from_credits: Mapped[Decimal | None] = mapped_column(CENTS)
    charged: Mapped[Decimal | None] = mapped_column(CENTS)
    charged_from_credits: Mapped[Decimal | None] = mapped_column(CENTS)
    order_status: Mapped[str | None]
    paid_at: Mapped[datetime | None] = mapped_column(_TIME)

    created_at: Mapped[Written]
    updated_at: Mapped[Written]
