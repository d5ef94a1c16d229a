"""Saved mappings of a list's columns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.downgrades import ANY, refuse_while_rows

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "column_mapping",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("headings_digest", sa.LargeBinary(), nullable=False),
        sa.Column("headings", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_column_mapping")),
        sa.UniqueConstraint("headings_digest", name=op.f("uq_column_mapping_headings_digest")),
    )


def downgrade() -> None:
    refuse_while_rows({"column_mapping": ANY})
    op.drop_table("column_mapping")
