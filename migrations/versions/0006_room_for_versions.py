"""Room in each page of mailings for the versions that a mailing goes through."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A mailing is written some nine times until it is sent. In a full page each version goes to another page, to
    # whichever gap among finished mailings it fits; then releasing 500 mailings writes 500 pages and not 15
    # (docs/performance.md, Growth). Nobody who reads or writes waits for it, and it holds for what is written from now on.
    op.execute("ALTER TABLE mailing SET (fillfactor = 70)")


def downgrade() -> None:
    op.execute("ALTER TABLE mailing RESET (fillfactor)")
