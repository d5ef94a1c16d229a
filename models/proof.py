"""Proofs: what the piece will look like, kept once for each distinct file."""

from sqlalchemy import CheckConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Written


class Proof(Base):
    """A proof as the vendor rendered it: a PDF, named by its own SHA-256. Forgotten, only the name is left."""

    __tablename__ = "proof"
    __table_args__ = (CheckConstraint("sha256(pdf) = sha256", name="name_is_its_hash"),)

    sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    pdf: Mapped[bytes | None]
    first_seen: Mapped[Written]
