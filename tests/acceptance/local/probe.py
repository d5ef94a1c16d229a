"""Start both embedded servers in a directory twice, attack through every role, and print what was seen."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from console.local.errors import ServerError
from console.local.postgres import Postgres
from console.local.roles import APPLICATION, OWNER, SUPERUSER
from console.local.server import Server
from console.local.services import embedded_database, in_use, own_directory
from console.local.valkey import Valkey

CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
ROLES = (SUPERUSER, OWNER, APPLICATION)


def main() -> int:
    """Print one JSON line for each start, or the sentence that says why there was none."""
    data_dir, closed = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        for start in range(2):
            here = own_directory(data_dir)
            # Nothing here has to survive a power cut, and a busy disk would take minutes.
            servers = (Postgres(here / "postgres", durable=False), Valkey(here / "valkey"))
            with in_use(servers[0]), in_use(servers[1]):
                embedded_database(servers[0]).migrate()
                sys.stdout.write(json.dumps(seen(servers, closed, start)) + "\n")
    except ServerError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


def seen(servers: tuple[Server, ...], closed: Path, start: int) -> dict[str, Any]:
    """Return the rights of the servers' processes, and which attacks succeeded."""
    postgres = next(server for server in servers if isinstance(server, Postgres))
    with postgres.connect("mailrun", role=OWNER) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS start (number int)")
        owner.execute("INSERT INTO start VALUES (%s)", [start])
        (starts,) = owner.execute("SELECT array_agg(number ORDER BY number) FROM start").fetchone() or (None,)
    return {
        "starts": starts,
        "uids": {server.name: status(server.process_id())["Uid"] for server in servers},
        "capabilities": {
            server.name: {status(server.process_id())[name] for name in CAPABILITIES} == {"0" * 16}
            for server in servers
        },
        "succeeded": [f"{role}: {what}" for role in ROLES for what in attacks(postgres, role, closed)],
        "superusers": [role for role in ROLES if is_superuser(postgres, role)],
        "program": program_status(postgres, "grep ^CapEff /proc/self/status | cut -f2"),
        "variables": program_status(postgres, "env | cut -d= -f1"),
    }


def attacks(postgres: Postgres, role: str, closed: Path) -> Iterator[str]:
    """Yield each statement that should have failed."""
    (closed / "secret").write_text("root's own")
    (closed / "secret").chmod(0o600)
    statements = (
        "SELECT pg_read_file('/etc/shadow')",
        f"SELECT pg_read_file('{closed}/secret')",
        f"COPY (SELECT 1) TO '{closed}/written'",
        f"COPY (SELECT 1) TO PROGRAM 'cat > {closed}/written'",
        "COPY (SELECT 1) TO '/etc/cron.d/mailrun'",
        f"SELECT lo_export(lo_from_bytea(0, 'x'), '{closed}/written')",
    )
    for statement in statements:
        with postgres.connect("mailrun", role=role) as connection:
            try:
                connection.execute(statement)
            except psycopg.Error:
                continue
            yield statement


def is_superuser(postgres: Postgres, role: str) -> bool:
    """Whether the role is one."""
    with postgres.connect("mailrun", role=role) as connection:
        return connection.execute("SHOW is_superuser").fetchone() == ("on",)


def program_status(postgres: Postgres, command: str) -> list[str]:
    """Return what a program prints that the superuser has the server run."""
    with postgres.connect("mailrun") as connection:
        connection.execute("CREATE TEMP TABLE line (line text)")
        connection.execute(f"COPY line FROM PROGRAM '{command}'")
        return [line for (line,) in connection.execute("SELECT line FROM line").fetchall()]


def status(pid: int) -> dict[str, str]:
    """Return what the kernel says about a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


if __name__ == "__main__":
    sys.exit(main())
