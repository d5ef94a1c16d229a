"""What the vendor's orders say about the account: whether it is shared, and from which order on that is judged."""

import sqlalchemy as sa
from alembic import op

from migrations.downgrades import refuse_while_rows

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Without them workers take over drafts that another program made, or send beside the original of a copy.
_PRECIOUS = {
    "installation": "shared_at IS NOT NULL OR doubted_at IS NOT NULL OR account_fence IS NOT NULL",
}

_COLUMNS = (
    ("account_fence", sa.BigInteger()),
    ("account_fence_at", sa.DateTime(timezone=True)),
    ("shared_at", sa.DateTime(timezone=True)),
    ("shared_why", sa.Text()),
    ("doubted_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("installation", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
    for name, _ in reversed(_COLUMNS):
        op.drop_column("installation", name)
