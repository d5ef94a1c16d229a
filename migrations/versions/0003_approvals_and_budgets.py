"""Approvals that say what was agreed to, budgets, reservations, and what the vendor answered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.downgrades import ANY, refuse_while_rows

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MONEY = sa.Numeric(precision=14, scale=4)
_TIME = sa.DateTime(timezone=True)
_LIMITS = ("total", "per_day", "per_month", "per_piece")
_MAILING = (
    sa.Column("approval_over", _MONEY, nullable=True),
    sa.Column("submitted_by", sa.Text(), nullable=True),
    sa.Column("trigger_id", sa.BigInteger(), nullable=True),
    sa.Column("paid_at", _TIME, nullable=True),
)


def upgrade() -> None:
    for column in _MAILING:
        op.add_column("mailing", column)
    op.drop_constraint(op.f("ck_mailing_approval"), "mailing")
    op.create_check_constraint(
        op.f("ck_mailing_approval"), "mailing", "approval IN ('auto', 'required', 'over')"
    )
    op.create_check_constraint(
        op.f("ck_mailing_approval_over_what"),
        "mailing",
        "(approval = 'over') = (approval_over IS NOT NULL) AND (approval_over IS NULL"
        " OR approval_over >= 0 AND approval_over < 'NaN')",
    )
    op.add_column(
        "vendor_call", sa.Column("answer", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    _create_approval()
    _create_budget()
    _create_reservation()


def _create_approval() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "approved", "rejected", name="verdict", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("recipients_digest", sa.LargeBinary(), nullable=True),
        sa.Column("proof_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("options", postgresql.JSONB(), nullable=False),
        sa.Column("total", _MONEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_approval_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index(op.f("ix_approval_mailing_id"), "approval", ["mailing_id"], unique=False)


def _create_budget() -> None:
    op.create_table(
        "budget",
        sa.Column(
            "purse",
            sa.Enum(
                "account",
                "campaign",
                "trigger",
                name="purse",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(limit, _MONEY, nullable=True) for limit in _LIMITS),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", _TIME, nullable=False),
        sa.CheckConstraint("(purse = 'account') = (subject = 0)", name=op.f("ck_budget_account_is_one")),
        *(
            sa.CheckConstraint(f"{limit} >= 0 AND {limit} < 'NaN'", name=op.f(f"ck_budget_{limit}_is_money"))
            for limit in _LIMITS
        ),
        sa.PrimaryKeyConstraint("purse", "subject", name=op.f("pk_budget")),
    )


def _create_reservation() -> None:
    op.create_table(
        "reservation",
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("trigger_id", sa.BigInteger(), nullable=True),
        sa.Column("amount", _MONEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("reserved", "spent", name="state", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("reserved_at", _TIME, nullable=False),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_reservation_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailing_id", name=op.f("pk_reservation")),
    )
    op.create_index("ix_reservation_day", "reservation", ["day"], unique=False, postgresql_include=["amount"])
    for purse in ("campaign", "trigger"):
        op.create_index(
            f"ix_reservation_{purse}",
            "reservation",
            [f"{purse}_id", "day"],
            unique=False,
            postgresql_include=["amount"],
            postgresql_where=sa.text(f"{purse}_id IS NOT NULL"),
        )


_PRECIOUS = {
    "approval": ANY,
    "budget": ANY,
    "reservation": ANY,
}


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
    op.drop_table("reservation")
    op.drop_table("budget")
    op.drop_table("approval")
    op.drop_column("vendor_call", "answer")
    op.drop_constraint(op.f("ck_mailing_approval_over_what"), "mailing")
    op.execute("UPDATE mailing SET approval = 'required' WHERE approval = 'over'")
    op.drop_constraint(op.f("ck_mailing_approval"), "mailing")
    op.create_check_constraint(op.f("ck_mailing_approval"), "mailing", "approval IN ('auto', 'required')")
    for column in reversed(_MAILING):
        op.drop_column("mailing", column.name)
