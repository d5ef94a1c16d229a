"""Who submitted what: token owners, and the indexes that find the earlier pieces of a list's people."""

import sqlalchemy as sa
from alembic import op

from migrations.downgrades import refuse_while_rows

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Without them a token forgets whose it is, and a mailing who submitted it.
_PRECIOUS = {"token": "owner IS NOT NULL", "mailing": "submitter_token IS NOT NULL"}


def upgrade() -> None:
    op.add_column("token", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("mailing", sa.Column("submitter_token", sa.Text(), nullable=True))
    op.create_index("ix_campaign_request_digest", "campaign", ["request_digest"], unique=False)
    op.create_index("ix_recipient_person", "recipient", ["person_digest"], unique=False)
    op.drop_index("ix_recipient_person_counted", "recipient")


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
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
