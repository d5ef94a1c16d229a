"""How the memory changes shape: Alembic revisions, run one process at a time under short lock waits."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import make_url

from migrations.downgrades import DowngradeRefusedError
from migrations.requirements import UnfitDatabaseError, find_obstacle


def config(database_url: str, *, application_role: str | None = None) -> Config:
    """Return Alembic's configuration for one database, wherever this package is installed."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("path_separator", "os")
    settings.attributes["database_url"] = database_url
    settings.attributes["application_role"] = application_role
    return settings


def upgrade(database_url: str, *, application_url: str | None = None) -> None:
    """Bring the database to the newest revision; does nothing if it is there already.

    Where the application works in a role of its own, named by `application_url`, that role is given what it needs.
    Raises UnfitDatabaseError for a database that cannot hold the tables, and sqlalchemy.exc.OperationalError if
    the database is away, or if a lock is not had within the time that ``migrations/env.py`` allows: then
    nothing was changed, and it may be run again.
    """
    owner = make_url(database_url).username
    role = make_url(application_url).username if application_url else None
    command.upgrade(config(database_url, application_role=role if role != owner else None), "head")


__all__ = ["DowngradeRefusedError", "UnfitDatabaseError", "config", "find_obstacle", "upgrade"]
