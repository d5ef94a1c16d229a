"""How the memory changes shape: Alembic revisions, run one process at a time under short lock waits."""

from pathlib import Path

from alembic import command
from alembic.config import Config


def config(database_url: str) -> Config:
    """Return Alembic's configuration for one database, wherever this package is installed."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("path_separator", "os")
    settings.attributes["database_url"] = database_url
    return settings


def upgrade(database_url: str) -> None:
    """Bring the database to the newest revision; does nothing if it is there already.

    Raises sqlalchemy.exc.OperationalError if the database is away, or if a lock is not had within the time
    that ``migrations/env.py`` allows: then nothing was changed, and it may be run again.
    """
    command.upgrade(config(database_url), "head")


__all__ = ["config", "upgrade"]
