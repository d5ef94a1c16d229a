"""When mailings are sent: times, hold dates, deliver-by grids, recurring campaigns."""

import sqlalchemy as sa
from alembic import op

from migrations.downgrades import ANY, refuse_while_rows

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recurrence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column(
            "catch_up",
            sa.Enum(
                "all", "last", "none", name="catch_up", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column(
            "if_late",
            sa.Enum(
                "send", "skip", "ask", name="if_late", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("late_after", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recurrence")),
    )
    op.create_index(
        "ix_recurrence_due",
        "recurrence",
        ["wake_at"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )
    op.add_column("campaign", sa.Column("recurrence_id", sa.BigInteger(), nullable=True))
    op.add_column("campaign", sa.Column("occurrence_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_campaign_recurrence_id_recurrence"), "campaign", "recurrence", ["recurrence_id"], ["id"]
    )
    op.create_unique_constraint(
        op.f("uq_campaign_recurrence_id_occurrence_at"), "campaign", ["recurrence_id", "occurrence_at"]
    )
    op.create_check_constraint(
        op.f("ck_campaign_occurrence_of_a_rule"),
        "campaign",
        "(recurrence_id IS NULL) = (occurrence_at IS NULL)",
    )
    op.create_table(
        "choice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("postage", sa.Text(), nullable=False),
        sa.Column("speed", sa.Text(), nullable=False),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("total", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("produced", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivery_min", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivery_max", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrives", sa.Date(), nullable=True),
        sa.Column("meets", sa.Boolean(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_choice_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choice")),
    )
    op.create_index(op.f("ix_choice_mailing_id"), "choice", ["mailing_id"], unique=False)
    for column in _TIMES:
        op.add_column("mailing", column)
    for name, rule in _RULES.items():
        op.create_check_constraint(op.f(f"ck_mailing_{name}"), "mailing", rule)


_TIMES = (
    sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("send_wall", sa.DateTime(timezone=False), nullable=True),
    sa.Column("zone", sa.Text(), nullable=True),
    sa.Column("hold_until", sa.Date(), nullable=True),
    sa.Column("hold_mode", sa.String(16), nullable=True),
    sa.Column("deliver_by", sa.Date(), nullable=True),
    sa.Column("if_late", sa.String(16), server_default="ask", nullable=False),
    sa.Column("late_after", sa.Integer(), server_default=sa.text("86400"), nullable=False),
    sa.Column("price_until", sa.DateTime(timezone=True), nullable=True),
    sa.Column("price_after", sa.Numeric(precision=14, scale=4), nullable=True),
)
_RULES = {
    "hold_mode": "hold_mode IN ('local', 'vendor')",
    "if_late": "if_late IN ('send', 'skip', 'ask')",
    "instant_of_a_wall_time": "(send_at IS NULL) = (send_wall IS NULL) AND (send_wall IS NULL OR zone IS NOT NULL)",
    "hold_has_a_mode": "(hold_until IS NULL) = (hold_mode IS NULL)",
    "local_hold_waits_here": "hold_mode <> 'local' OR send_at IS NOT NULL",
    "late_after_not_negative": "late_after >= 0",
}


_PRECIOUS = {
    "recurrence": ANY,
    "mailing": "send_at IS NOT NULL OR hold_until IS NOT NULL OR deliver_by IS NOT NULL",
}


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
    for column in reversed(_TIMES):
        op.drop_column("mailing", column.name)
    op.drop_index(op.f("ix_choice_mailing_id"), table_name="choice")
    op.drop_table("choice")
    op.drop_constraint(op.f("ck_campaign_occurrence_of_a_rule"), "campaign")
    op.drop_constraint(op.f("uq_campaign_recurrence_id_occurrence_at"), "campaign")
    op.drop_constraint(op.f("fk_campaign_recurrence_id_recurrence"), "campaign")
    op.drop_column("campaign", "occurrence_at")
    op.drop_column("campaign", "recurrence_id")
    op.drop_index(
        "ix_recurrence_due", table_name="recurrence", postgresql_where=sa.text("wake_at IS NOT NULL")
    )
    op.drop_table("recurrence")
