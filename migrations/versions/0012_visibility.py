"""Since when a worker wrote to the vendor's order, and since when reads did not show it or did not answer."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COLUMNS = ("order_written_at", "missing_since", "unanswered_since")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("mailing", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    # What is under way may have been written a moment ago.
    op.execute(
        "UPDATE mailing SET order_written_at = updated_at"
        " WHERE order_id IS NOT NULL AND state NOT IN ('sent', 'failed', 'cancelled')"
    )


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("mailing", name)
