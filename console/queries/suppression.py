"""Suppression lists as they stand: how many marks of each kind."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from models import IdentityKind, Suppression, SuppressionList


@dataclass(frozen=True, slots=True)
class ListStanding:
    """One list: its entries by mark, and when it last grew."""

    name: str
    created_at: datetime
    entries: dict[str, int] = field(default_factory=dict)
    last_added: datetime | None = None


def suppression_lists(connection: Connection) -> list[ListStanding]:
    """Return every list by name."""
    counted = connection.execute(
        select(Suppression.list, Suppression.mark, func.count(), func.max(Suppression.added_at)).group_by(
            Suppression.list, Suppression.mark
        )
    ).all()
    named = connection.execute(select(SuppressionList.name, SuppressionList.created_at).order_by("name"))
    return [
        ListStanding(
            name,
            created_at,
            {IdentityKind(row[1]).value: row[2] for row in counted if row[0] == name},
            max((row[3] for row in counted if row[0] == name), default=None),
        )
        for name, created_at in named
    ]
