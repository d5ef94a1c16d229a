"""Users of the embedded servers: the first to need one starts it, the last to leave stops it.

Users are counted by shared file locks, so a user that is killed stops counting at that moment. A server
whose last user was killed runs on until the next user has come and gone.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import migrations
from console.local.errors import ServerError
from console.local.postgres import Postgres
from console.local.server import Server
from console.local.valkey import Valkey
from worker.settings import Settings


@dataclass(frozen=True)
class Database:
    """The addresses of PostgreSQL, for SQLAlchemy."""

    # For reading and writing rows.
    url: str
    # For making and changing tables.
    migration_url: str

    def migrate(self) -> None:
        """Bring the database to the newest revision; raise as `migrations.upgrade` does."""
        migrations.upgrade(self.migration_url, application_url=self.url)


@dataclass(frozen=True)
class Services:
    """The addresses of PostgreSQL (for SQLAlchemy) and Redis (for Celery)."""

    database: Database
    redis_url: str
    # Those of the two that were started here.
    servers: tuple[Server, ...] = ()

    @property
    def database_url(self) -> str:
        """Where rows are read and written."""
        return self.database.url


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """Yield both addresses, from the settings where given, else of embedded servers in the data directory.

    Raises ServerError with one line when a server cannot run here.
    """
    redis_url = settings.redis_url
    servers: list[Server] = []
    with ExitStack() as stack:
        database = named_database(settings)
        if database is None:
            postgres = stack.enter_context(embedded_postgres(settings.data_dir))
            servers.append(postgres)
            database = embedded_database(postgres)
        if redis_url is None:
            valkey = stack.enter_context(embedded_valkey(settings.data_dir))
            servers.append(valkey)
            redis_url = valkey.url
        yield Services(database, redis_url, tuple(servers))


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Yield PostgreSQL's addresses for a command that needs no broker; raises ServerError."""
    named = named_database(settings)
    if named:
        yield named
        return
    with embedded_postgres(settings.data_dir) as postgres:
        yield embedded_database(postgres)


def named_database(settings: Settings) -> Database | None:
    """Return the addresses that the settings name; one role is enough, two are safer."""
    if settings.database_url is None:
        return None
    return Database(settings.database_url, settings.migration_database_url or settings.database_url)


def embedded_database(postgres: Postgres) -> Database:
    """Return the addresses of the embedded database."""
    return Database(postgres.url(), postgres.owner_url())


@contextmanager
def embedded_postgres(data_dir: Path) -> Iterator[Postgres]:
    """Yield the embedded database, running until the last of its users leaves."""
    server = Postgres(own_directory(data_dir) / "postgres")
    with in_use(server):
        yield server


@contextmanager
def embedded_valkey(data_dir: Path) -> Iterator[Valkey]:
    """Yield the embedded broker, running until the last of its users leaves."""
    server = Valkey(own_directory(data_dir) / "valkey")
    with in_use(server):
        yield server


def attach(data_dir: Path) -> Services | None:
    """Return the embedded servers' addresses if both answer now, without starting or keeping them."""
    here = data_dir.absolute()
    postgres, valkey = Postgres(here / "postgres"), Valkey(here / "valkey")
    if not (postgres.answers() and valkey.answers()):
        return None
    return Services(embedded_database(postgres), valkey.url)


@contextmanager
def in_use(server: Server) -> Iterator[None]:
    """Keep `server` running, started if need be; stop it on the way out unless somebody else uses it."""
    server.directory.mkdir(mode=0o700, exist_ok=True)
    with (server.directory / "users.lock").open("ab") as users:
        with _alone(server):
            server.ensure_running()
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with _alone(server):
                if _is_last(users.fileno()):
                    server.stop()


def revive(server: Server) -> bool:
    """Start a server in use again if it died; returns whether it had. Raises ServerError."""
    with _alone(server):
        if server.is_running():
            return False
        server.ensure_running()
    return True


def own_directory(data_dir: Path) -> Path:
    """Return `data_dir` as an absolute path, made if need be; raises ServerError if it is somebody else's."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = data_dir.stat().st_uid
    except OSError as error:
        raise ServerError(f"cannot use {data_dir} as data directory: {error.strerror}") from error
    if owner != os.geteuid():
        raise ServerError(f"{data_dir} belongs to another user; work as that user, or set MAILRUN_DATA_DIR")
    return data_dir.absolute()


@contextmanager
def _alone(server: Server) -> Iterator[None]:
    """Be the only one who starts or stops this server, waiting for whoever does so now."""
    with (server.directory / "start-stop.lock").open("ab") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
