"""A history: mailings that were really sent, with all that is remembered of them, copied until there are many."""

from collections.abc import Mapping
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from models import Base

_AT_ONCE: Final = 20_000
_MILLION: Final = 1_000_000

_SAMPLE: Final = """
    DROP TABLE IF EXISTS sample;
    CREATE TABLE sample AS
    SELECT id, row_number() OVER (ORDER BY id) AS place
      FROM (SELECT id FROM mailing WHERE state = 'sent' AND id > 0 ORDER BY id LIMIT 200) AS sent
"""
# A mailing has gone through nine versions, which leaves its pages half empty, with room for many new ones. Pages full
# of copies would have gaps in which just one new mailing fits, and a scan would write one page for each.
_HALF_FULL: Final = "ALTER TABLE mailing SET (fillfactor = 50)"
_AS_IT_WAS: Final = "ALTER TABLE mailing RESET (fillfactor)"
# Negative numbers meet nobody's: neither the next mailing's nor the vendor's.
_MAILING: Final = "-(copy * (SELECT count(*) FROM sample) + sample.place)"
_QUOTE: Final = f"-(copy * {_MILLION} + quote.id)"
_OF_MAILING: Final = "JOIN sample ON sample.id = {table}.mailing_id"

# Table by table, those first that others refer to: how its rows are found, and what is not copied as it is.
_COPIED: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "mailing": (
        "JOIN sample ON sample.id = mailing.id",
        {"id": _MAILING, "order_id": _MAILING, "key": "mailing.key || ':' || copy"},
    ),
    "recipient": (_OF_MAILING, {"mailing_id": _MAILING}),
    "vendor_call": (_OF_MAILING, {"mailing_id": _MAILING, "order_id": _MAILING}),
    "event_log": (_OF_MAILING, {"mailing_id": _MAILING}),
    "quote": (_OF_MAILING, {"mailing_id": _MAILING, "id": _QUOTE}),
    "quote_line": (
        "JOIN quote ON quote.id = quote_line.quote_id JOIN sample ON sample.id = quote.mailing_id",
        {"quote_id": _QUOTE},
    ),
    "charge": (_OF_MAILING, {"mailing_id": _MAILING, "vendor_id": f"-(copy * {_MILLION} + charge.id)"}),
    "reservation": (_OF_MAILING, {"mailing_id": _MAILING}),
    "tracking": (_OF_MAILING, {"mailing_id": _MAILING}),
}


def grow(connection: psycopg.Connection[Any], mailings: int) -> None:
    """Copy sent mailings until there are about this many; raises LookupError if none was sent yet."""
    connection.execute("SET synchronous_commit = off")
    connection.execute(_HALF_FULL)
    connection.execute(_SAMPLE)
    found = _count(connection, "sample")
    if not found:
        raise LookupError("nothing was sent yet that could be copied")
    copies = max(0, mailings - _count(connection, "mailing")) // found
    step = max(1, _AT_ONCE // found)
    for first in range(1, copies + 1, step):
        with connection.transaction():
            for table in _COPIED:
                bounds = {"first": first, "last": min(copies, first + step - 1)}
                connection.execute(_statement(table), bounds)
    connection.execute(_AS_IT_WAS)
    connection.execute("DROP TABLE sample")
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def counted(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Return how many rows each table of the history holds, about."""
    rows = connection.execute(
        "SELECT relname, reltuples FROM pg_class WHERE relname = ANY(%s)", [list(_COPIED)]
    ).fetchall()
    return {name: int(rows) for name, rows in rows}


def _count(connection: psycopg.Connection[Any], table: LiteralString) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(row[0]) if row else 0


def _statement(table: str) -> bytes:
    joined, changed = _COPIED[table]
    columns = [
        column.name
        for column in Base.metadata.tables[table].columns
        if column.identity is None or column.name in changed
    ]
    values = [changed.get(name, f'{table}."{name}"') for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    # Only those that were really sent are copied, not their copies.
    return f"""
        INSERT INTO {table} ({names})
        SELECT {", ".join(values)}
          FROM generate_series(CAST(%(first)s AS bigint), CAST(%(last)s AS bigint)) AS copy
         CROSS JOIN {table} {joined.format(table=table)}
    """.encode()  # noqa: S608 - built from constants
