"""Indexes for what a person looks at: orders that failed, and people whom we do not mail."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_mailing_failed", "mailing", ["updated_at"], postgresql_where=sa.text("state = 'failed'")
    )
    op.create_index(
        "ix_recipient_spared",
        "recipient",
        ["mailing_id"],
        postgresql_where=sa.text("outcome IN ('suppressed', 'capped', 'household')"),
    )


def downgrade() -> None:
    op.drop_index("ix_recipient_spared", "recipient")
    op.drop_index("ix_mailing_failed", "mailing")
