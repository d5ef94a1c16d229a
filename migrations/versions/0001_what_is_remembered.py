"""What is remembered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.downgrades import ANY, refuse_while_rows

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("mailings", sa.Integer(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("rows = people + rejected", name=op.f("ck_campaign_rows_add_up")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("key", name=op.f("uq_campaign_key")),
    )
    op.create_table(
        "create_gate",
        sa.Column("id", sa.SmallInteger(), server_default="1", autoincrement=False, nullable=False),
        sa.Column("holder", sa.BigInteger(), nullable=True),
        sa.Column(
            "closed_until", sa.DateTime(timezone=True), server_default=sa.text("'-infinity'"), nullable=False
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_create_gate_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_create_gate")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.SmallInteger(), server_default="1", autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("epoch_before", sa.Uuid(), nullable=True),
        sa.Column("epoch_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("home", sa.Text(), nullable=True),
        sa.Column("disarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disarmed_why", sa.Text(), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "proof",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("sha256(pdf) = sha256", name=op.f("ck_proof_name_is_its_hash")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_proof")),
    )
    op.create_table(
        "stray",
        sa.Column("order_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "fate",
            sa.Enum(
                "seen",
                "adopted",
                "condemned",
                "deleted",
                name="fate",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("sightings", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_stray")),
    )
    op.create_table(
        "mailing",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "create",
                "attach",
                "proof",
                "summarize",
                "checkout",
                "settle",
                name="stage",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            server_default="create",
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "working",
                "approval",
                "attention",
                "sent",
                "failed",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            server_default="queued",
            nullable=False,
        ),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recovering", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unsure_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resends", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("waits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("postage", sa.Text(), nullable=False),
        sa.Column("speed", sa.Text(), nullable=False),
        sa.Column("auto_bill", sa.Boolean(), nullable=False),
        sa.Column(
            "approval",
            sa.Enum(
                "auto", "required", name="approval", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("order_fence", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.Integer(), server_default="0", nullable=False),
        sa.Column("accepted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("recipients_digest", sa.LargeBinary(), nullable=True),
        sa.Column("proof_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("quoted", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("charged", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("order_status", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(state = 'working') = (claim IS NOT NULL) AND (claim IS NULL) = (lease_until IS NULL)",
            name=op.f("ck_mailing_working_is_claimed"),
        ),
        sa.CheckConstraint(
            "CASE WHEN state IN ('queued', 'working') THEN wake_at IS NOT NULL WHEN state IN ('sent', 'failed', 'cancelled') THEN wake_at IS NULL ELSE true END",
            name=op.f("ck_mailing_unfinished_wakes"),
        ),
        sa.CheckConstraint(
            "stage = 'create' OR order_id IS NOT NULL", name=op.f("ck_mailing_order_after_create")
        ),
        sa.CheckConstraint(
            "state <> 'approval' OR stage = 'checkout'", name=op.f("ck_mailing_approval_before_checkout")
        ),
        sa.CheckConstraint("state <> 'sent' OR stage = 'settle'", name=op.f("ck_mailing_sent_after_settle")),
        sa.CheckConstraint(
            "state NOT IN ('attention', 'failed') OR reason IS NOT NULL",
            name=op.f("ck_mailing_ends_with_reason"),
        ),
        sa.CheckConstraint(
            "NOT recovering OR unsure_since IS NOT NULL", name=op.f("ck_mailing_unsure_since_when")
        ),
        sa.CheckConstraint(
            "cursor BETWEEN 0 AND size AND size > 0", name=op.f("ck_mailing_cursor_within_size")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_mailing_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["proof_sha256"],
            ["proof.sha256"],
            name=op.f("fk_mailing_proof_sha256_proof"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailing")),
        sa.UniqueConstraint("campaign_id", "batch", name=op.f("uq_mailing_campaign_id_batch")),
        sa.UniqueConstraint("key", name=op.f("uq_mailing_key")),
        sa.UniqueConstraint("order_id", name=op.f("uq_mailing_order_id")),
    )
    op.create_index(
        "ix_mailing_asking",
        "mailing",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state IN ('approval', 'attention')"),
    )
    op.create_index(
        "ix_mailing_creating",
        "mailing",
        ["id"],
        unique=False,
        postgresql_where=sa.text("stage = 'create' AND (state = 'working' OR recovering)"),
    )
    op.create_index(
        "ix_mailing_due",
        "mailing",
        ["priority", "wake_at"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )
    op.create_table(
        "rejected_row",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_rejected_row_campaign_id_campaign"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("campaign_id", "row", name=op.f("pk_rejected_row")),
    )
    op.create_table(
        "charge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("vendor_id", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("is_credit", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_charge_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charge")),
        sa.UniqueConstraint("vendor_id", name=op.f("uq_charge_vendor_id")),
    )
    op.create_index(op.f("ix_charge_mailing_id"), "charge", ["mailing_id"], unique=False)
    op.create_table(
        "event_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_event_log_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_log")),
    )
    op.create_index(op.f("ix_event_log_mailing_id"), "event_log", ["mailing_id"], unique=False)
    op.create_index(
        "ix_event_log_unsure_create",
        "event_log",
        ["at"],
        unique=False,
        postgresql_where=sa.text("stage = 'create' AND move IN ('steal', 'unsure')"),
    )
    op.create_table(
        "quote",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("postage", sa.Text(), nullable=False),
        sa.Column("speed", sa.Text(), nullable=False),
        sa.Column("charges", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("tax", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("credits", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("delivery_min", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivery_max", sa.DateTime(timezone=True), nullable=True),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_quote_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote")),
    )
    op.create_index(op.f("ix_quote_mailing_id"), "quote", ["mailing_id"], unique=False)
    op.create_table(
        "recipient",
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("organization", sa.Text(), nullable=True),
        sa.Column("salutation", sa.Text(), nullable=True),
        sa.Column("address1", sa.Text(), nullable=False),
        sa.Column("address2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("zip_code", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column(
            "merge", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "waiting",
                "submitted",
                "accepted",
                "rejected",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            server_default="waiting",
            nullable=False,
        ),
        sa.Column("vendor_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_recipient_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailing_id", "position", name=op.f("pk_recipient")),
    )
    op.create_table(
        "vendor_call",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailing_id", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("claim", sa.Uuid(), nullable=True),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_vendor_call_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_call")),
    )
    op.create_index(op.f("ix_vendor_call_mailing_id"), "vendor_call", ["mailing_id"], unique=False)
    op.create_table(
        "quote_line",
        sa.Column("quote_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column("is_credit", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("rate", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("tax", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("total", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("sub_kind", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["quote_id"], ["quote.id"], name=op.f("fk_quote_line_quote_id_quote"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("quote_id", "position", name=op.f("pk_quote_line")),
    )
    op.execute("INSERT INTO installation DEFAULT VALUES")
    op.execute("INSERT INTO create_gate DEFAULT VALUES")


_PRECIOUS = {
    "campaign": ANY,
    "mailing": ANY,
    "vendor_call": ANY,
}


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
    op.drop_table("quote_line")
    op.drop_index(op.f("ix_vendor_call_mailing_id"), table_name="vendor_call")
    op.drop_table("vendor_call")
    op.drop_table("recipient")
    op.drop_index(op.f("ix_quote_mailing_id"), table_name="quote")
    op.drop_table("quote")
    op.drop_index(
        "ix_event_log_unsure_create",
        table_name="event_log",
        postgresql_where=sa.text("stage = 'create' AND move IN ('steal', 'unsure')"),
    )
    op.drop_index(op.f("ix_event_log_mailing_id"), table_name="event_log")
    op.drop_table("event_log")
    op.drop_index(op.f("ix_charge_mailing_id"), table_name="charge")
    op.drop_table("charge")
    op.drop_table("rejected_row")
    op.drop_index("ix_mailing_due", table_name="mailing", postgresql_where=sa.text("wake_at IS NOT NULL"))
    op.drop_index(
        "ix_mailing_creating",
        table_name="mailing",
        postgresql_where=sa.text("stage = 'create' AND (state = 'working' OR recovering)"),
    )
    op.drop_index(
        "ix_mailing_asking",
        table_name="mailing",
        postgresql_where=sa.text("state IN ('approval', 'attention')"),
    )
    op.drop_table("mailing")
    op.drop_table("stray")
    op.drop_table("proof")
    op.drop_table("installation")
    op.drop_table("heartbeat")
    op.drop_table("create_gate")
    op.drop_table("campaign")
