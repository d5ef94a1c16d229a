"""Events, triggers and their batches, webhooks with their outbox, tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.downgrades import ANY, refuse_while_rows

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_OUTCOMES = (
    "received",
    "gathering",
    "ordered",
    "mailed",
    "suppressed",
    "capped",
    "duplicate",
    "invalid_address",
    "unmatched",
    "failed",
)


def upgrade() -> None:
    _create_events()
    _create_triggers()
    _create_firings()
    _create_tokens()
    _create_webhooks()
    _create_tracking()


def _create_events() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(*_OUTCOMES, name="outcome", native_enum=False, create_constraint=True, length=16),
            server_default="received",
            nullable=False,
        ),
        sa.Column("wake_at", _TIME, nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'received') = (wake_at IS NOT NULL)", name=op.f("ck_event_received_wakes")
        ),
        sa.CheckConstraint(
            "outcome IN ('received', 'ordered') OR reason IS NOT NULL", name=op.f("ck_event_ends_with_reason")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("source", "event_id", name=op.f("uq_event_source_event_id")),
    )
    op.create_index(
        "ix_event_due", "event", ["wake_at"], unique=False, postgresql_where=sa.text("wake_at IS NOT NULL")
    )


def _create_triggers() -> None:
    op.create_table(
        "trigger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("retired_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trigger")),
        sa.UniqueConstraint("name", name=op.f("uq_trigger_name")),
    )
    op.create_table(
        "trigger_version",
        sa.Column("trigger_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("declaration", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column("loaded_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["trigger_id"],
            ["trigger.id"],
            name=op.f("fk_trigger_version_trigger_id_trigger"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("trigger_id", "version", name=op.f("pk_trigger_version")),
    )
    op.create_table(
        "gathering",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("trigger_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("close_at", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("closed_at", _TIME, nullable=True),
        sa.Column("mailing_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "mailing_id IS NULL OR closed_at IS NOT NULL", name=op.f("ck_gathering_mails_once_closed")
        ),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_gathering_mailing_id_mailing")),
        sa.ForeignKeyConstraint(["trigger_id"], ["trigger.id"], name=op.f("fk_gathering_trigger_id_trigger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gathering")),
    )
    op.create_index(
        "ix_gathering_due",
        "gathering",
        ["close_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_gathering_open",
        "gathering",
        ["trigger_id", "version"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _create_firings() -> None:
    op.create_table(
        "firing",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("trigger_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(*_OUTCOMES, name="outcome", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("due", _TIME, nullable=True),
        sa.Column("gathering_id", sa.BigInteger(), nullable=True),
        sa.Column("mailing_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.CheckConstraint(
            "(outcome = 'ordered') = (mailing_id IS NOT NULL)", name=op.f("ck_firing_ordered_by_mailing")
        ),
        sa.CheckConstraint(
            "outcome <> 'gathering' OR gathering_id IS NOT NULL", name=op.f("ck_firing_gathers_somewhere")
        ),
        sa.CheckConstraint(
            "outcome IN ('gathering', 'ordered') OR reason IS NOT NULL",
            name=op.f("ck_firing_ends_with_reason"),
        ),
        sa.CheckConstraint(
            "(mailing_id IS NULL) = (position IS NULL)", name=op.f("ck_firing_place_in_mailing")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_firing_event_id_event"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["gathering_id"], ["gathering.id"], name=op.f("fk_firing_gathering_id_gathering")
        ),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_firing_mailing_id_mailing")),
        sa.ForeignKeyConstraint(["trigger_id"], ["trigger.id"], name=op.f("fk_firing_trigger_id_trigger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firing")),
        sa.UniqueConstraint("trigger_id", "event_id", name=op.f("uq_firing_trigger_id_event_id")),
    )
    op.create_index(op.f("ix_firing_digest"), "firing", ["digest"], unique=False)
    op.create_index(op.f("ix_firing_event_id"), "firing", ["event_id"], unique=False)
    op.create_index(op.f("ix_firing_gathering_id"), "firing", ["gathering_id"], unique=False)
    op.create_index(op.f("ix_firing_mailing_id"), "firing", ["mailing_id"], unique=False)


def _create_tokens() -> None:
    op.create_table(
        "token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("name", name=op.f("uq_token_name")),
        sa.UniqueConstraint("sha256", name=op.f("uq_token_sha256")),
    )


def _create_webhooks() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secrets", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("busy_until", _TIME, server_default=sa.text("'-infinity'"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", _TIME, nullable=True),
        sa.Column("disabled_at", _TIME, nullable=True),
        sa.Column("disabled_why", sa.Text(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_why IS NULL)", name=op.f("ck_webhook_disabled_with_reason")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("webhook_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "mailing.quoted",
                "mailing.approved",
                "mailing.charged",
                "mailing.attention",
                "mailing.sent",
                "mailing.failed",
                "recipient.rejected",
                "recipient.delivered",
                "recipient.undeliverable",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("wake_at", _TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken_at", _TIME, nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.CheckConstraint("taken_at IS NULL OR wake_at IS NULL", name=op.f("ck_notice_taken_sleeps")),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_notice_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_notice_webhook_id_webhook"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(
        "ix_notice_due",
        "notice",
        ["webhook_id", "wake_at"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_notice_mailing_id"), "notice", ["mailing_id"], unique=False)


def _create_tracking() -> None:
    op.create_table(
        "delivery",
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_delivery_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailing_id", "position", name=op.f("pk_delivery")),
    )
    op.create_table(
        "tracking",
        sa.Column("mailing_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wake_at", _TIME, nullable=True),
        sa.Column("until", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_tracking_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailing_id", name=op.f("pk_tracking")),
    )
    op.create_index(
        "ix_tracking_due",
        "tracking",
        ["wake_at"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )


_PRECIOUS = {
    "event": ANY,
    "trigger": ANY,
    "token": ANY,
    "webhook": ANY,
    "delivery": ANY,
}


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
    for table in (
        "tracking",
        "delivery",
        "notice",
        "webhook",
        "token",
        "firing",
        "gathering",
        "trigger_version",
        "trigger",
        "event",
    ):
        op.drop_table(table)
