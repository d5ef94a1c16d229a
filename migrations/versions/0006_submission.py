"""Who submitted what: token owners, and the indexes that find the earlier pieces of a list's people."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("token", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("mailing", sa.Column("submitter_token", sa.Text(), nullable=True))
    op.create_index("ix_campaign_request_digest", "campaign", ["request_digest"], unique=False)
    op.create_index("ix_recipient_person", "recipient", ["person_digest"], unique=False)
    op.drop_index("ix_recipient_person_counted", "recipient")


def downgrade() -> None:
    op.create_index(
        "ix_recipient_person_counted",
        "recipient",
        ["person_digest"],
        unique=False,
        postgresql_where=sa.text("counted_on IS NOT NULL"),
    )
    op.drop_index("ix_recipient_person", "recipient")
    op.drop_index("ix_campaign_request_digest", "campaign")
    op.drop_column("mailing", "submitter_token")
    op.drop_column("token", "owner")
