"""Where the installation is: the directory `.mailrun` here or above, as git finds its repository.

Only `up`, `demo` and `send` create one. A command that only looks, given in the wrong directory, must say so
instead of starting an empty database there.
"""

import os
from pathlib import Path
from typing import Final

from console.errors import CommandError
from worker.settings import Settings, read_settings

NAME: Final = ".mailrun"
ENV_FILE: Final = ".env"
# What an installation has and the demo's directory alone has not.
_MARKS: Final = ("postgres", "up.lock")


def find_installation(start: Path) -> Path | None:
    """Return the nearest `.mailrun` of this user in `start` or above it, None if there is none."""
    here = start.absolute()
    return next((one / NAME for one in (here, *here.parents) if _is_installation(one / NAME)), None)


def installation_settings() -> Settings:
    """Return the settings, with the data directory of the installation that is here or above.

    The `.env` beside that installation is read too. Raises SettingsError.
    """
    found = find_installation(Path.cwd())
    elsewhere = found is not None and found.parent != Path.cwd()
    settings = read_settings(found.parent / ENV_FILE) if found and elsewhere else read_settings()
    if found is not None and settings.data_dir == Path(NAME):
        return settings.model_copy(update={"data_dir": found})
    return settings


def is_elsewhere(settings: Settings) -> bool:
    """Whether the installation was found above the current directory."""
    default = Path(NAME)
    return settings.data_dir.name == NAME and settings.data_dir not in {default, default.absolute()}


def has_database(settings: Settings) -> bool:
    """Tell whether there is a database already: one that the settings name, or one in the data directory."""
    return settings.database_url is not None or (settings.data_dir / "postgres").is_dir()


def require_installation(settings: Settings, *, broker: bool = False) -> None:
    """Raise Complaint if this command would have to create a database, or with `broker` a Redis, of its own."""
    database = has_database(settings)
    has_broker = settings.redis_url is not None or _is_installation(settings.data_dir)
    if database and (has_broker or not broker):
        return
    here = settings.data_dir.absolute()
    place = f"no {NAME} in {here.parent} or above it" if here.name == NAME else f"no database in {here}"
    raise CommandError(
        f"there is {place}: change to the directory of your installation, set MAILRUN_DATA_DIR, "
        "or start one here with `mailrun up`"
    )


def _is_installation(directory: Path) -> bool:
    try:
        # The directory, and the `.env` beside it, of another user must not decide what is sent.
        return directory.stat().st_uid == os.geteuid() and any((directory / one).exists() for one in _MARKS)
    except OSError:
        return False
