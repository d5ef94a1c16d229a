"""The roles of the embedded database: a superuser that makes databases, an owner that migrates, one that works."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psycopg
from psycopg import sql

SUPERUSER: Final = "postgres"
OWNER: Final = "mailrun_owner"
# What workers, web and commands use: it reads and writes rows, as in docker-compose.yml.
APPLICATION: Final = "mailrun"
DATABASE: Final = "mailrun"
# Older versions worked as the superuser that made the cluster, which only another superuser can rename.
RENAMER: Final = "mailrun_renamer"
ROLES: Final = (SUPERUSER, OWNER, APPLICATION, RENAMER)

Connect = Callable[[str, str], psycopg.Connection]

_OWNED: Final = """
    SELECT format('ALTER %%s %%s OWNER TO %%I', kind, name, %(owner)s::text)
      FROM (SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                                WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
                   oid::regclass::text AS name, relowner AS owner, relnamespace AS namespace
              FROM pg_class
             WHERE relkind IN ('r', 'p', 'v', 'm')
                OR relkind = 'S' AND NOT EXISTS (SELECT FROM pg_depend
                                                  WHERE objid = pg_class.oid AND deptype IN ('a', 'i'))
            UNION ALL
            SELECT 'ROUTINE', oid::regprocedure::text, proowner, pronamespace FROM pg_proc
            UNION ALL
            SELECT CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, oid::regtype::text, typowner, typnamespace
              FROM pg_type WHERE typtype IN ('d', 'e')) AS owned
     WHERE namespace = 'public'::regnamespace AND owner = CURRENT_USER::regrole
"""


def prepare_roles(connect: Connect) -> None:
    """Make roles and database where they are missing; bring an older version's to this state.

    Each step may be cut short: the next start finds what is left to do. `connect` takes a role and a database.
    """
    with _as_superuser(connect) as connection:
        if _is_prepared(connection):
            return
        connection.execute(f"DROP ROLE IF EXISTS {RENAMER}")
        for role in (OWNER, APPLICATION):
            if not _exists(connection, "pg_roles", "rolname", role):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if _exists(connection, "pg_database", "datname", DATABASE):
            _hand_over(connect)
            # Last, for it marks the rest as done.
            connection.execute(f"ALTER DATABASE {DATABASE} OWNER TO {OWNER}")
        else:
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")


def _as_superuser(connect: Connect) -> psycopg.Connection:
    with suppress(psycopg.OperationalError):
        return connect(SUPERUSER, "postgres")
    _rename_superuser(connect)
    return connect(SUPERUSER, "postgres")


def _rename_superuser(connect: Connect) -> None:
    """Free the application's name: the role that made the cluster cannot give up its powers, only its name."""
    with connect(APPLICATION, "postgres") as connection:
        if not _exists(connection, "pg_roles", "rolname", RENAMER):
            connection.execute(f"CREATE ROLE {RENAMER} SUPERUSER LOGIN")
    with connect(RENAMER, "postgres") as connection:
        connection.execute(f"ALTER ROLE {APPLICATION} RENAME TO {SUPERUSER}")


def _hand_over(connect: Connect) -> None:
    """Give the owner role every table and function that the superuser made."""
    with connect(SUPERUSER, DATABASE) as connection, connection.transaction():
        for (statement,) in connection.execute(_OWNED, {"owner": OWNER}).fetchall():
            connection.execute(statement)


def _is_prepared(connection: psycopg.Connection) -> bool:
    found = connection.execute(
        "SELECT FROM pg_database WHERE datname = %s AND datdba = to_regrole(%s)"
        "   AND to_regrole(%s) IS NOT NULL AND to_regrole(%s) IS NULL",
        [DATABASE, OWNER, APPLICATION, RENAMER],
    )
    return found.fetchone() is not None


def _exists(connection: psycopg.Connection, catalog: str, column: str, name: str) -> bool:
    query = sql.SQL("SELECT FROM {} WHERE {} = %s").format(sql.Identifier(catalog), sql.Identifier(column))
    return connection.execute(query, [name]).fetchone() is not None
