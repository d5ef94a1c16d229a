"""Mappings that were saved: a list with the same headings, in any order, is read by them again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from intake.options import LONGEST_WORD
from intake.recipients.fields import heading_form
from models import ColumnMapping

_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """A mapping and the headings of the lists that it belongs to."""

    name: str
    headings: tuple[str, ...]
    mapping: Mapping[str, str]
    saved_by: str
    saved_at: datetime


def save_mapping(
    connection: Connection,
    name: str,
    headings: Sequence[str],
    mapping: Mapping[str, str],
    *,
    who: str,
    now: datetime,
) -> None:
    """Save a mapping in place of the one with this name, and of the one for these headings."""
    digest = _digest(headings)
    connection.execute(
        delete(ColumnMapping).where((ColumnMapping.name == name) | (ColumnMapping.headings_digest == digest))
    )
    connection.execute(
        insert(ColumnMapping).values(
            name=name[:LONGEST_WORD],
            headings_digest=digest,
            headings=list(headings),
            mapping=dict(mapping),
            saved_by=who,
            saved_at=now,
        )
    )


def find_mapping(connection: Connection, headings: Sequence[str]) -> SavedMapping | None:
    """Return the mapping that was saved for these headings, or None."""
    found = _saved(connection, ColumnMapping.headings_digest == _digest(headings))
    return found[0] if found else None


def mapping_for(engine: Engine, headings: Sequence[str]) -> Mapping[str, str] | None:
    """Return the pairs of the mapping that was saved for these headings, or None."""
    with engine.connect() as connection:
        saved = find_mapping(connection, headings)
    return saved.mapping if saved else None


def list_mappings(connection: Connection) -> list[SavedMapping]:
    """Return all saved mappings, by name."""
    return _saved(connection)


def remove_mapping(connection: Connection, name: str) -> bool:
    """Remove a saved mapping; return False if there is none with this name."""
    removed = delete(ColumnMapping).where(ColumnMapping.name == name).returning(ColumnMapping.name)
    return connection.scalar(removed) is not None


def _saved(connection: Connection, *where: object) -> list[SavedMapping]:
    rows = connection.execute(
        select(*ColumnMapping.__table__.columns).where(*where).order_by(ColumnMapping.name)  # type: ignore[arg-type]
    )
    return [
        SavedMapping(row.name, tuple(row.headings), row.mapping, row.saved_by, row.saved_at) for row in rows
    ]


def _digest(headings: Sequence[str]) -> bytes:
    forms = sorted(heading_form(heading) for heading in headings)
    return blake2b("\n".join(forms).encode(), digest_size=_DIGEST_BYTES).digest()
