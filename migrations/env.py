"""Runs revisions: one process at a time, and never waiting on a lock for so long that live work stops."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from migrations.privileges import grant_to_application
from migrations.requirements import UnfitDatabaseError, find_obstacle
from models import Base

# Any number will do as long as no other program uses it in this database: "mailrun" in ASCII, cut to 63 bits.
MIGRATING = 0x6D61696C72756E


def guard(connection: Connection) -> None:
    """Take the migration lock for this session and bound every wait.

    Two migrations at once (two containers starting) would both find the old revision: the second waits here.
    A statement that waits for a table lock makes every later one wait behind it, so it gives up after 5 s.
    """
    obstacle = find_obstacle(connection)
    if obstacle:
        raise UnfitDatabaseError(obstacle)
    connection.execute(text("SET statement_timeout = '15min'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATING})
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.commit()


def run() -> None:
    """Run the revisions asked for against the one database named."""
    attributes = context.config.attributes
    url = (
        attributes.get("database_url")
        or os.environ.get("MIGRATION_DATABASE_URL")
        or os.environ["DATABASE_URL"]
    )
    # Named, because the driver cannot read what a server of the encoding SQL_ASCII sends, not even its version.
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"client_encoding": "utf8"})
    with engine.connect() as connection:
        guard(connection)
        context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
        with context.begin_transaction():
            context.run_migrations()
        role = attributes.get("application_role")
        if role:
            # Still under the migration lock: two sessions that grant at once disturb each other.
            grant_to_application(connection, role)
            connection.commit()


run()
