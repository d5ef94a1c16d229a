"""Digests of people, suppression lists, frequency caps, and what is forgotten."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.downgrades import ANY, refuse_while_rows

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_OUTCOMES = ("waiting", "submitted", "accepted", "rejected")
_SPARED = ("suppressed", "capped", "household")
_MARKS = ("person", "address", "email", "customer")
_ENDED = "state IN ('sent', 'failed', 'cancelled')"


def upgrade() -> None:
    _widen_recipient()
    _widen_mailing()
    op.alter_column("proof", "pdf", nullable=True)
    op.add_column(
        "installation",
        sa.Column(
            "digest_key",
            sa.LargeBinary(),
            server_default=sa.text("(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))"),
            nullable=False,
        ),
    )
    _create_suppression()
    _create_erasure()


def _widen_recipient() -> None:
    for mark in _MARKS:
        op.add_column("recipient", sa.Column(f"{mark}_digest", sa.LargeBinary(), nullable=True))
    op.add_column("recipient", sa.Column("customer_id", sa.Text(), nullable=True))
    op.add_column("recipient", sa.Column("counted_on", sa.Date(), nullable=True))
    _allow_outcomes(*_OUTCOMES, *_SPARED)
    for mark in ("person", "address"):
        op.create_index(
            f"ix_recipient_{mark}_counted",
            "recipient",
            [f"{mark}_digest"],
            unique=False,
            postgresql_where=sa.text("counted_on IS NOT NULL"),
        )


def _allow_outcomes(*outcomes: str) -> None:
    op.drop_constraint(op.f("ck_recipient_outcome"), "recipient")
    allowed = ", ".join(f"'{outcome}'" for outcome in outcomes)
    op.create_check_constraint(op.f("ck_recipient_outcome"), "recipient", f"outcome IN ({allowed})")


def _widen_mailing() -> None:
    op.add_column(
        "mailing",
        sa.Column("suppress", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("mailing", sa.Column("cap_pieces", sa.Integer(), nullable=True))
    op.add_column("mailing", sa.Column("cap_days", sa.Integer(), nullable=True))
    op.add_column("mailing", sa.Column("cap_per", sa.String(16), nullable=True))
    op.add_column(
        "mailing",
        sa.Column("one_per_household", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("mailing", sa.Column("forgotten_at", _TIME, nullable=True))
    op.create_check_constraint(op.f("ck_mailing_cap_per"), "mailing", "cap_per IN ('person', 'address')")
    op.create_check_constraint(
        op.f("ck_mailing_cap_whole"),
        "mailing",
        "(cap_pieces IS NULL) = (cap_days IS NULL) AND (cap_pieces IS NULL) = (cap_per IS NULL)",
    )
    op.create_check_constraint(op.f("ck_mailing_cap_positive"), "mailing", "cap_pieces > 0 AND cap_days > 0")
    op.create_index(
        "ix_mailing_remembered",
        "mailing",
        ["updated_at"],
        unique=False,
        postgresql_where=sa.text(f"{_ENDED} AND forgotten_at IS NULL"),
    )


def _create_suppression() -> None:
    op.create_table(
        "suppression_list",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_suppression_list")),
    )
    op.execute("INSERT INTO suppression_list (name) VALUES ('do-not-mail')")
    op.create_table(
        "suppression",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column(
            "mark",
            sa.Enum(*_MARKS, name="mark", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["list"],
            ["suppression_list.name"],
            name=op.f("fk_suppression_list_suppression_list"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", "list", name=op.f("pk_suppression")),
    )


def _create_erasure() -> None:
    op.create_table(
        "erasure",
        sa.Column("mailing_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id", "position"],
            ["recipient.mailing_id", "recipient.position"],
            name=op.f("fk_erasure_mailing_id_position_recipient"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailing_id", "position", name=op.f("pk_erasure")),
    )


_PRECIOUS = {
    "suppression": ANY,
    "erasure": ANY,
    "suppression_list": "name <> 'do-not-mail'",
    "recipient": "counted_on IS NOT NULL OR outcome IN ('suppressed', 'capped', 'household')",
}


def downgrade() -> None:
    refuse_while_rows(_PRECIOUS)
    op.drop_table("erasure")
    op.drop_table("suppression")
    op.drop_table("suppression_list")
    op.drop_column("installation", "digest_key")
    op.execute(
        "UPDATE mailing SET proof_sha256 = NULL FROM proof WHERE proof_sha256 = sha256 AND pdf IS NULL"
    )
    op.execute("DELETE FROM proof WHERE pdf IS NULL")
    op.alter_column("proof", "pdf", nullable=False)
    op.drop_index("ix_mailing_remembered", "mailing")
    for column in ("forgotten_at", "one_per_household", "cap_per", "cap_days", "cap_pieces", "suppress"):
        op.drop_column("mailing", column)
    op.drop_index("ix_recipient_address_counted", "recipient")
    op.drop_index("ix_recipient_person_counted", "recipient")
    op.execute(
        "UPDATE recipient SET outcome = 'rejected' WHERE outcome IN ('suppressed', 'capped', 'household')"
    )
    _allow_outcomes(*_OUTCOMES)
    for column in ("counted_on", "customer_id", *(f"{mark}_digest" for mark in _MARKS)):
        op.drop_column("recipient", column)
