"""Tokens: expiry, last use, required approval and a budget of their own."""

import sqlalchemy as sa
from alembic import op

from migrations.downgrades import refuse_while_rows

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Without them a token is good for ever, pays without an approval, or spends without a limit.
_PRECIOUS = {
    "budget": "purse = 'token'",
    "token": "expires_at IS NOT NULL OR approval_required",
}

_SCOPES = ("account", "campaign", "trigger", "token")


def upgrade() -> None:
    op.add_column(
        "token", sa.Column("approval_required", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("token", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("token", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("reservation", sa.Column("token_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_reservation_token",
        "reservation",
        ["token_id", "day"],
        unique=False,
        postgresql_include=["amount"],
        postgresql_where=sa.text("token_id IS NOT NULL"),
    )
    _allow(_SCOPES)


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
    _allow(_SCOPES[:-1])
    op.drop_index("ix_reservation_token", "reservation")
    op.drop_column("reservation", "token_id")
    for column in ("last_used_at", "expires_at", "approval_required"):
        op.drop_column("token", column)


def _allow(scopes: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_budget_purse"), "budget", type_="check")
    listed = ", ".join(f"'{scope}'" for scope in scopes)
    op.create_check_constraint(op.f("ck_budget_purse"), "budget", f"purse IN ({listed})")
