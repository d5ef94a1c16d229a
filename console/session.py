"""What a command works with: the settings as they hold on this machine now, and the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import Engine

from console.errors import CommandError
from console.installation import installation_settings, is_elsewhere, require_installation
from console.local.services import open_database
from console.local.up import running_base_url, vendor_line
from console.output import print_note
from worker.context import open_engine
from worker.settings import LIVE_URL, Settings, Vendor


@dataclass(frozen=True)
class Session:
    """The settings, with the addresses of what `mailrun up` runs filled in, and an engine on the database."""

    settings: Settings
    engine: Engine

    @property
    def vendor(self) -> Vendor:
        """Who is spoken to."""
        return self.settings.vendor


@contextmanager
def open_session(*, quiet: bool = False, create: bool = False, broker: bool = False) -> Iterator[Session]:
    """Yield a session, having said which vendor is spoken to unless the output says so itself (`quiet`).

    Starts the embedded database if nothing runs here, and creates it only with `create`. `broker`
    says that the command will need Redis as well. Raises SettingsError,
    ServerError, Complaint, and sqlalchemy.exc.OperationalError if the database is away.
    """
    settings = settings_here()
    if not create:
        require_installation(settings, broker=broker)
    introduce(settings, quiet=quiet)
    with open_database(settings) as database:
        if settings.database_url is None and running_base_url(settings.data_dir) is None:
            database.migrate()  # an embedded database, and no `mailrun up` has migrated it
        engine = open_engine(database.url, connections=2)
        try:
            yield Session(settings.model_copy(update={"database_url": database.url}), engine)
        finally:
            engine.dispose()


def settings_here() -> Settings:
    """Return the settings, led to the sandbox of a running `mailrun up`.

    Raises Complaint if that `up` speaks to another vendor than this terminal's settings name: what is queued
    here would be sent, and charged, there.
    """
    settings = installation_settings()
    theirs = running_base_url(settings.data_dir)
    if theirs is None or settings.base_url == theirs:
        return settings
    if not knows_vendor(settings) and _on_this_machine(settings, theirs):
        return settings.model_copy(update={"base_url": theirs})
    raise CommandError(
        f"the `mailrun up` that runs here speaks to {theirs}, this terminal's settings name another vendor: "
        "set LETTRLABS_API_KEY and LETTRLABS_BASE_URL alike in both"
    )


def installed_settings(*, broker: bool = True) -> Settings:
    """Return the settings for a command that starts servers but must not create an installation.

    Raises Complaint if there is no installation.
    """
    settings = settings_here()
    require_installation(settings, broker=broker)
    return settings


def introduce(settings: Settings, *, quiet: bool = False) -> None:
    """Say where the installation is, if not here, and unless `quiet` which vendor is spoken to."""
    if is_elsewhere(settings):
        print_note(f"The installation is in {settings.data_dir}.")
    if not quiet:
        print_note(who_is_spoken_to(settings))


def knows_vendor(settings: Settings) -> bool:
    """Whether there is an address to call: a sandbox has one only while it runs."""
    return settings.vendor is Vendor.LIVE or settings.base_url != LIVE_URL


def who_is_spoken_to(settings: Settings) -> str:
    """Return one line that names the vendor and what that means."""
    if knows_vendor(settings):
        return vendor_line(settings)
    return "SANDBOX, which `mailrun up` starts: nothing is mailed, nothing is charged."


def _on_this_machine(settings: Settings, url: str) -> bool:
    # Whoever would be spoken to with any key at all is a sandbox: only those answer on the loopback interface.
    any_key = {"base_url": url, "api_key": SecretStr("any")}
    return settings.model_copy(update=any_key).vendor is Vendor.SANDBOX
