"""What an order costs beside how it is paid, charges keyed by their order, and accepted differences."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.downgrades import ANY, refuse_while_rows

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MONEY = sa.Numeric(precision=14, scale=4)
_TIME = sa.DateTime(timezone=True)
_STATED = ("charges", "tax", "credits")
_KINDS = (
    "parts",
    "parts_tax",
    "lines",
    "lines_tax",
    "tax_in_lines",
    "tax_in_charges",
    "credits",
    "balance",
    "missing_amount",
    "no_lines",
    "costs_nothing",
    "pieces",
    "pieces_not_told",
    "other_options",
    "charged_more",
    "charged_less",
    "no_transactions",
    "unknown_charge",
    "charged_pieces",
)


def upgrade() -> None:
    op.add_column("mailing", sa.Column("quoted_from_credits", _MONEY, nullable=True))
    op.add_column("mailing", sa.Column("charged_from_credits", _MONEY, nullable=True))
    op.add_column("approval", sa.Column("from_credits", _MONEY, nullable=True))
    op.add_column("quote", sa.Column("from_credits", _MONEY, server_default="0", nullable=False))
    op.add_column(
        "quote", sa.Column("accepted", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )
    for column in _STATED:
        op.alter_column("quote", column, nullable=True)
    op.alter_column("quote_line", "total", nullable=True)
    _key_charges_by_order()
    _create_accepted_difference()


def _key_charges_by_order() -> None:
    op.add_column("charge", sa.Column("pays", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.alter_column("charge", "amount", nullable=True)
    op.drop_constraint(op.f("uq_charge_vendor_id"), "charge")
    op.create_unique_constraint(op.f("uq_charge_mailing_id_vendor_id"), "charge", ["mailing_id", "vendor_id"])
    # The new key begins with the same column.
    op.drop_index(op.f("ix_charge_mailing_id"), table_name="charge")


def _create_accepted_difference() -> None:
    op.create_table(
        "accepted_difference",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailing_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(*_KINDS, name="kind", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=True),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["mailing_id"],
            ["mailing.id"],
            name=op.f("fk_accepted_difference_mailing_id_mailing"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accepted_difference")),
    )
    op.create_index(op.f("ix_accepted_difference_mailing_id"), "accepted_difference", ["mailing_id"])
    op.create_index(
        "uq_accepted_difference_standing",
        "accepted_difference",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("digest IS NULL AND revoked_at IS NULL"),
    )


_PRECIOUS = {
    "accepted_difference": ANY,
}


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
    op.drop_table("accepted_difference")
    op.create_index(op.f("ix_charge_mailing_id"), "charge", ["mailing_id"])
    op.drop_constraint(op.f("uq_charge_mailing_id_vendor_id"), "charge")
    # The older key holds a number once: the charges that share it with an older one lose it, and stay.
    op.execute("""
        UPDATE charge
           SET vendor_id = NULL
         WHERE EXISTS (SELECT FROM charge AS older
                        WHERE older.vendor_id = charge.vendor_id
                          AND older.id < charge.id)
    """)
    op.create_unique_constraint(op.f("uq_charge_vendor_id"), "charge", ["vendor_id"])
    op.execute("UPDATE charge SET amount = 0 WHERE amount IS NULL")
    op.alter_column("charge", "amount", nullable=False)
    op.drop_column("charge", "pays")
    op.execute("UPDATE quote_line SET total = 0 WHERE total IS NULL")
    op.alter_column("quote_line", "total", nullable=False)
    for column in reversed(_STATED):
        op.execute(f"UPDATE quote SET {column} = 0 WHERE {column} IS NULL")  # noqa: S608 - a constant of this file
        op.alter_column("quote", column, nullable=False)
    op.drop_column("approval", "from_credits")
    op.drop_column("quote", "accepted")
    op.drop_column("quote", "from_credits")
    op.drop_column("mailing", "charged_from_credits")
    op.drop_column("mailing", "quoted_from_credits")
