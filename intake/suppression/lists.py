"""Suppression lists: marks that are not mailed, kept as digests only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import Connection, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from intake.errors import ErrorCode, IntakeError
from models import DO_NOT_MAIL, IdentityKind, Suppression, SuppressionList

EntryDigest: TypeAlias = tuple[bytes, IdentityKind]

_LONGEST_NAME: Final = 60

_ADD: Final = text("""
    INSERT INTO suppression (digest, list, mark, source, added_by, added_at)
    SELECT digest, :list, mark, :source, :who, :now
      FROM unnest(CAST(:digests AS bytea[]), CAST(:marks AS text[])) AS given (digest, mark)
        ON CONFLICT (digest, list) DO NOTHING
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which list entries are for, and where they come from: a source such as a file's name, and who adds them."""

    source: str
    who: str
    now: datetime
    list: str = DO_NOT_MAIL


def require_lists(connection: Connection, names: Iterable[str]) -> None:
    """Raise IntakeError for a list that there is not: a misspelt name must not mail who is on the right one."""
    wanted = set(names)
    missing = wanted - set(
        connection.scalars(select(SuppressionList.name).where(SuppressionList.name.in_(wanted)))
    )
    if missing:
        raise IntakeError(
            ErrorCode.UNKNOWN_LIST,
            f'There is no suppression list "{min(missing)}": make it with mailrun suppress import or add.',
        )


def open_list(connection: Connection, name: str) -> None:
    """Make a list, unless it is there. Raises IntakeError for a name that nobody could type again."""
    if not (0 < len(name) <= _LONGEST_NAME and name.isprintable() and not set(name) & set(" ,;")):
        raise IntakeError(
            ErrorCode.BAD_OPTION,
            f"A list's name is 1 to {_LONGEST_NAME} printable characters without spaces and commas.",
        )
    connection.execute(insert(SuppressionList).values(name=name).on_conflict_do_nothing())


def add(connection: Connection, entries: Iterable[EntryDigest], origin: Origin) -> int:
    """Put entries on a list and return how many were not on it. It holds for what is not checked out yet."""
    # In one order for everybody: two imports that add the same people would else wait for each other.
    rows = sorted(entries)
    if not rows:
        return 0
    values = {
        "digests": [digest for digest, _ in rows],
        "marks": [mark.value for _, mark in rows],
        "list": origin.list,
        "source": origin.source,
        "who": origin.who,
        "now": origin.now,
    }
    return connection.execute(_ADD, values).rowcount


def remove(connection: Connection, digests: Iterable[bytes], name: str) -> int:
    """Take entries off a list and return how many were on it."""
    on_it = delete(Suppression).where(Suppression.list == name, Suppression.digest.in_(list(digests)))
    return connection.execute(on_it).rowcount
