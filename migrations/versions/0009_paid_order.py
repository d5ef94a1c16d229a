"""What the vendor made of an order after its payment; receipts and notices tell paid from mailed."""

import sqlalchemy as sa
from alembic import op

from migrations.downgrades import refuse_while_rows

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The older tables have no word for this outcome.
_PRECIOUS = {"event": "outcome = 'paid'", "firing": "outcome = 'paid'"}

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
_KINDS = (
    "mailing.quoted",
    "mailing.approved",
    "mailing.charged",
    "mailing.attention",
    "mailing.sent",
    "mailing.failed",
    "recipient.rejected",
    "recipient.delivered",
    "recipient.undeliverable",
)


def upgrade() -> None:
    op.create_table(
        "paid_order",
        sa.Column("mailing_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wake_at", _TIME, nullable=True),
        sa.Column("misses", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("looked_at", _TIME, nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("status_since", _TIME, nullable=True),
        sa.Column("mailed_at", _TIME, nullable=True),
        sa.Column("expected_from", _TIME, nullable=True),
        sa.Column("expected_until", _TIME, nullable=True),
        *(
            sa.Column(name, sa.Integer(), nullable=True)
            for name in (
                "pieces",
                "waiting",
                "posted",
                "in_transit",
                "at_local_facility",
                "delivered",
                "undeliverable",
                "scans",
            )
        ),
        sa.Column("last_scan", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_paid_order_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailing_id", name=op.f("pk_paid_order")),
    )
    op.create_index(
        "ix_paid_order_due",
        "paid_order",
        ["wake_at"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )
    op.execute(
        "INSERT INTO paid_order (mailing_id, wake_at) SELECT id, now() FROM mailing WHERE state = 'sent'"
    )
    _allow("event", "outcome", (*_OUTCOMES, "paid"))
    _allow("firing", "outcome", (*_OUTCOMES, "paid"))
    _allow("notice", "kind", (*_KINDS, "mailing.mailed"))


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
    op.execute("DELETE FROM notice WHERE kind = 'mailing.mailed'")
    _allow("notice", "kind", _KINDS)
    _allow("firing", "outcome", _OUTCOMES)
    _allow("event", "outcome", _OUTCOMES)
    op.drop_table("paid_order")


def _allow(table: str, column: str, words: tuple[str, ...]) -> None:
    """Let a column hold these words and no others."""
    name = f"ck_{table}_{column}"
    op.drop_constraint(op.f(name), table, type_="check")
    op.create_check_constraint(op.f(name), table, sa.column(column).in_(words))
