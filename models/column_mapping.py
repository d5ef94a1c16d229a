"""What the columns of a list mean, as a person said it once: found again by the headings."""

from sqlalchemy import ARRAY, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant


class ColumnMapping(Base):
    """A saved mapping, by its name. `headings_digest` is of all headings of the list, whatever their order."""

    __tablename__ = "column_mapping"

    name: Mapped[str] = mapped_column(primary_key=True)
    headings_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    headings: Mapped[list[str]] = mapped_column(ARRAY(Text))
    mapping: Mapped[dict[str, str]] = mapped_column(JSONB)
    saved_by: Mapped[str]
    saved_at: Mapped[Instant]
