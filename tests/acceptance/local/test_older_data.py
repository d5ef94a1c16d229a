"""A data directory of a version whose application was the superuser: it starts, and is brought to today's state."""

import fcntl
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import migrations
from console.local import postgres as postgres_module
from console.local.errors import ServerError
from console.local.postgres import Postgres
from console.local.roles import APPLICATION, DATABASE, OWNER, ROLES, prepare_roles
from console.local.services import embedded_database, in_use
from console.local.valkey import Valkey


class Older(Postgres):
    """The embedded server as version 0.1 left it: one role, which is the superuser, and files of another user."""

    def ensure_running(self) -> None:
        super(Postgres, self).ensure_running()
        (self.directory / "layout").unlink()

    def forget_this_version(self) -> None:
        user = pwd.getpwuid(os.geteuid()).pw_name
        (self.data / "pg_hba.conf").write_text("local all all peer map=owner\n")
        (self.data / "pg_ident.conf").write_text(f'owner "{user}" {APPLICATION}\n')
        if self.account:
            nobody = str(pwd.getpwnam("nobody").pw_uid)
            subprocess.run(["/bin/chown", "-R", nobody, str(self.data)], check=True)


@pytest.fixture
def older(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Older]:
    """Yield an older server, running, with tables and a row in them."""
    server = Older(run_dir / f"older-{os.urandom(4).hex()}", durable=False)
    server.directory.mkdir(mode=0o700)
    with monkeypatch.context() as then:
        then.setattr(postgres_module, "SUPERUSER", APPLICATION)
        server.ensure_running()
    with server.connect(role=APPLICATION) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    migrations.upgrade(server.url())
    with server.connect(DATABASE, role=APPLICATION) as connection:
        connection.execute("INSERT INTO suppression_list (name) VALUES ('kept')")
        connection.execute("CREATE FUNCTION kept() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        connection.execute("CREATE VIEW kept AS SELECT name FROM suppression_list")
        connection.execute("CREATE SEQUENCE kept_number")
    yield server
    Postgres(server.directory).stop()


def owners(server: Postgres) -> set[str]:
    with server.connect(DATABASE) as connection:
        found = connection.execute(
            "SELECT relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " UNION SELECT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
        return {owner for (owner,) in found}


def roles(server: Postgres) -> dict[str, bool]:
    with server.connect() as connection:
        found = connection.execute(
            "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)]
        )
        return dict(found.fetchall())


def assert_renewed(server: Postgres) -> None:
    embedded_database(server).migrate()
    assert roles(server) == {"postgres": True, OWNER: False, APPLICATION: False}
    assert owners(server) == {OWNER}
    with server.connect(DATABASE, role=APPLICATION) as connection:
        names = connection.execute("SELECT name FROM kept ORDER BY name").fetchall()
        assert names == [("do-not-mail",), ("kept",)]
        connection.execute("INSERT INTO suppression_list (name) VALUES ('new')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DROP TABLE suppression")
    if server.account:
        assert {path.lstat().st_uid for path in server.data.rglob("*")} == {server.account.uid}


def test_an_older_data_directory_starts_and_is_brought_to_this_version(older: Older) -> None:
    older.stop()
    older.forget_this_version()

    with in_use(server := Postgres(older.directory, durable=False)):
        assert_renewed(server)
    with in_use(server):
        assert roles(server) == {"postgres": True, OWNER: False, APPLICATION: False}


def test_a_server_that_an_older_version_left_running_is_stopped_first(older: Older) -> None:
    before = older.process_id()

    with in_use(server := Postgres(older.directory, durable=False)):
        assert server.process_id() != before
        assert_renewed(server)


@pytest.mark.parametrize("kind", [Postgres, Valkey])
def test_a_server_that_an_older_version_still_uses_is_left_alone(
    older: Older, tmp_path: Path, kind: type[Postgres | Valkey]
) -> None:
    server = kind(older.directory if kind is Postgres else tmp_path)
    if kind is Valkey:
        server.ensure_running()
        (server.directory / "layout").unlink()
    before = server.process_id()
    with (server.directory / "users.lock").open("ab") as user:
        fcntl.flock(user, fcntl.LOCK_SH)
        with pytest.raises(ServerError, match="stop its `mailrun up` first"), in_use(server):
            pass

    assert server.process_id() == before
    server.stop()


class CutError(Exception):
    """The power went."""


def test_a_change_of_roles_that_is_cut_short_again_and_again_is_finished_in_the_end(older: Older) -> None:
    older.stop()
    older.forget_this_version()
    server = Postgres(older.directory, durable=False)
    super(Postgres, server).ensure_running()

    cuts = 0
    while cut_short(server, after=cuts):
        cuts += 1

    assert cuts > 3
    assert_renewed(server)
    server.stop()


def cut_short(server: Postgres, after: int) -> bool:
    """Change the roles, with a power cut after so many connections; return whether it came to that."""
    made = 0

    def connect(role: str, database: str) -> psycopg.Connection:
        nonlocal made
        if made == after:
            raise CutError
        made += 1
        return server.connect(database, role=role)

    try:
        prepare_roles(connect)
    except CutError:
        return True
    return False
