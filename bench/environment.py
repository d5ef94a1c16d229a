"""The ground of a run: its own PostgreSQL and Valkey, and a sandbox for each contender."""

import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import pq, sql
from redis import Redis

from bench.processes import Process, ProcessGroup
from console.local.postgres import Postgres
from console.local.programs import Programs
from console.local.roles import APPLICATION, DATABASE, OWNER, SUPERUSER
from console.local.valkey import Valkey
from worker.settings import SANDBOX_KEY

_PATIENCE_SECONDS = 60.0


class Database(Postgres):
    """PostgreSQL on TCP as well, as in production: DBOS waits for a refused connection, not for a missing socket."""

    port: int = 0

    def prepare(self, programs: Programs) -> None:
        """As the embedded server, and let every client of this machine in: the people are made up."""
        super().prepare(programs)
        with (self.data / "pg_hba.conf").open("a") as admitted:
            admitted.write("host all all 127.0.0.1/32 trust\n")
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]

    def options(self) -> list[str]:
        """Return the server's arguments."""
        return [*super().options(), "-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}"]

    def answers(self) -> bool:
        """Whether it is past its recovery and takes connections."""
        where = f"host=127.0.0.1 port={self.port} user={APPLICATION} dbname=postgres connect_timeout=5"
        return bool(self.port) and pq.PGconn.ping(where.encode()) == pq.Ping.OK

    def url(self, database: str = DATABASE, *, role: str = APPLICATION) -> str:
        """Return the SQLAlchemy address of one of its databases, over TCP."""
        return f"postgresql+psycopg://{role}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres", *, role: str = SUPERUSER) -> psycopg.Connection:
        """Return an autocommit connection to one of its databases; raises psycopg.OperationalError."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=role, dbname=database, autocommit=True, connect_timeout=5
        )


@dataclass(frozen=True)
class Servers:
    """The database server and the broker that all contenders share."""

    postgres: Database
    valkey: Valkey

    def new_database(self, name: str) -> str:
        """Create a database and return its address."""
        with self.postgres.connect() as connection:
            statement = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(OWNER)))
        return self.postgres.owner_url(name)

    def redis(self) -> Redis:
        """Return a connection to the broker; raises redis' ConnectionError while it is away, on use."""
        return Redis(unix_socket_path=str(self.valkey.socket), socket_timeout=5)


@dataclass(frozen=True)
class Sandbox:
    """One contender's vendor, and what only its operator may ask."""

    url: str

    @property
    def env(self) -> dict[str, str]:
        """What makes a process use it, whatever the caller's own environment says."""
        return {"LETTRLABS_BASE_URL": f"{self.url}/api", "LETTRLABS_API_KEY": SANDBOX_KEY}

    def misbehave(self, rules: list[dict[str, object]]) -> None:
        """Go wrong by these rules from now on."""
        self._ask("POST", "faults", rules)

    def change(self, settings: dict[str, object]) -> None:
        """Behave by these settings from now on."""
        self._ask("POST", "settings", settings)

    def behave(self) -> None:
        """Do nothing wrong any more."""
        self._ask("DELETE", "faults")

    def calls(self) -> dict[str, int]:
        """Return how many calls arrived, by endpoint."""
        return {name: int(one["arrived"]) for name, one in self._ask("GET", "calls").items()}

    def totals(self) -> Any:  # noqa: ANN401 - JSON
        """Return the ledger's totals."""
        return self._ask("GET", "ledger?summary=1")

    def ledger(self) -> Any:  # noqa: ANN401 - JSON
        """Return what really happened."""
        return self._ask("GET", "ledger")

    def _ask(self, method: str, what: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        answer = httpx.request(method, f"{self.url}/sandbox/{what}", json=body, timeout=_PATIENCE_SECONDS)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def open_sandbox(troop: ProcessGroup, directory: Path, name: str) -> Sandbox:
    """Start a sandbox that nobody else uses."""
    command = (sys.executable, "-m", "sandbox", "--port", "0", "--state", str(directory / f"{name}.sandbox"))
    process = troop.add(
        Process(f"{name} sandbox", command, {}, directory / f"{name}-sandbox.log", keep=False)
    )
    return Sandbox(process.wait_for("sandbox ready on ").split()[-1])
