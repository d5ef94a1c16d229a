"""What a database must be, and permit, before tables are made in it."""

from typing import Final

from sqlalchemy import Connection, text

OLDEST_POSTGRES: Final = 15

_FACTS: Final = text("""
    SELECT current_setting('server_version_num')::int / 10000 AS version,
           current_setting('server_encoding') AS encoding,
           current_setting('transaction_read_only') = 'on' AS read_only,
           current_setting('search_path') AS search_path,
           current_user AS role, current_database() AS database, current_schema() AS schema,
           has_schema_privilege(current_schema(), 'CREATE') AS may_create
""")


class UnfitDatabaseError(Exception):
    """One sentence: why the tables cannot be made in this database, and what to do."""


def find_obstacle(connection: Connection, *, to_migrate: bool = True) -> str | None:
    """Return what keeps Mailrun from working in this database, and what to do about it; None if all is well.

    The role that only reads and writes rows need not be able to make tables: then `to_migrate` is False.
    """
    found = connection.execute(_FACTS).one()
    if found.version < OLDEST_POSTGRES:
        return f"PostgreSQL {found.version} is too old: use PostgreSQL {OLDEST_POSTGRES} or newer"
    if found.encoding != "UTF8":
        return (
            f'database "{found.database}" is encoded in {found.encoding}, which cannot store every name: '
            "make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )
    if found.schema is None:
        return (
            f'database "{found.database}" has none of the schemas in search_path {found.search_path}: '
            "create one, or set search_path for the role"
        )
    if found.read_only:
        return f'database "{found.database}" is read-only: name the primary server'
    if to_migrate and not found.may_create:
        return (
            f'role "{found.role}" may not create tables in schema "{found.schema}": '
            f'run GRANT CREATE ON SCHEMA "{found.schema}" TO "{found.role}" as the owner of the database'
        )
    return None
