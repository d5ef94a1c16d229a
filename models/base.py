"""The ground all tables stand on: one naming convention and the column types they share."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Enum, Identity, LargeBinary, MetaData, Numeric, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Serial = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Written = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
CENTS = Numeric(14, 4)
Money = Annotated[Decimal, mapped_column(CENTS)]
Document = dict[str, Any]


class Base(DeclarativeBase):
    """Every table of Mailrun."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this name off the class
        str: Text,
        bytes: LargeBinary,
        Document: JSONB,
    }


def words(kind: type[StrEnum], name: str, *, length: int = 16) -> Enum:
    """Return a text column type whose CHECK allows the members' values and nothing else.

    Text with a CHECK rather than a PostgreSQL enum: a value can be added or dropped in one short migration.
    """
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=length,
        values_callable=lambda members: [member.value for member in members],
    )
