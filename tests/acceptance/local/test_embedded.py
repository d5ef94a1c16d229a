import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from sqlalchemy import create_engine, text

from console.local.errors import ServerError
from console.local.postgres import Postgres
from console.local.server import Server
from console.local.services import (
    attach,
    embedded_postgres,
    embedded_valkey,
    in_use,
    open_database,
    open_services,
    own_directory,
    revive,
)
from console.local.valkey import Valkey
from worker.settings import Settings

HOLD = """
import sys
from pathlib import Path
from console.local.services import open_services
from worker.settings import Settings
with open_services(Settings(data_dir=Path(sys.argv[1]))):
    print("holding", flush=True)
    sys.stdin.read()
"""

Holder = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def new_dir(run_dir: Path) -> Iterator[Path]:
    """Yield a data directory that was never used."""
    path = run_dir / "new"
    path.mkdir(mode=0o700)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def used_before(run_dir: Path) -> Path:
    """Return a data directory after its first start, which takes longest."""
    with embedded_postgres(run_dir / "used"):
        return run_dir / "used"


@pytest.fixture
def data_dir(used_before: Path) -> Iterator[Path]:
    """Yield a data directory that was used before; whatever a test left running in it is stopped."""
    yield used_before
    for server in (Postgres(used_before / "postgres"), Valkey(used_before / "valkey")):
        if server.directory.exists():
            server.stop()


@pytest.fixture
def holder(data_dir: Path) -> Iterator[Holder]:
    """Yield a starter of other processes that use both servers until told to end, by the end of their input."""
    with ExitStack() as ends:

        def start() -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [sys.executable, "-c", HOLD, str(data_dir)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            ends.enter_context(process)
            return process

        yield start


def holds(process: "subprocess.Popen[str]") -> bool:
    return process.stdout is not None and process.stdout.readline() == "holding\n"


def remember(url: str, word: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS word (word text)"))
        connection.execute(text("INSERT INTO word VALUES (:word)"), {"word": word})
    engine.dispose()


def recall(url: str) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        words = list(connection.scalars(text("SELECT word FROM word")))
    engine.dispose()
    return words


def test_what_was_remembered_is_there_after_a_stop(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as postgres:
        remember(postgres.owner_url(), "kept")

    with embedded_postgres(data_dir) as postgres:
        assert "kept" in recall(postgres.owner_url())


def test_the_broker_keeps_its_messages_over_a_stop(new_dir: Path) -> None:
    with embedded_valkey(new_dir) as valkey, Redis(unix_socket_path=str(valkey.socket)) as client:
        client.set("message", "kept")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}

    with embedded_valkey(new_dir) as valkey, Redis(unix_socket_path=str(valkey.socket)) as client:
        assert client.get("message") == b"kept"


def test_the_last_to_leave_stops_the_servers(data_dir: Path) -> None:
    with open_services(Settings(data_dir=data_dir)):
        with open_services(Settings(data_dir=data_dir)) as services:
            assert attach(data_dir) is not None
        assert attach(data_dir) is not None
        remember(services.database.migration_url, "still there")

    assert attach(data_dir) is None
    assert not Postgres(data_dir / "postgres").is_running()
    assert not Valkey(data_dir / "valkey").is_running()


def test_a_command_in_another_terminal_does_not_stop_the_servers_of_up(
    data_dir: Path, holder: Holder
) -> None:
    up = holder()
    assert holds(up)

    with embedded_postgres(data_dir) as postgres:
        remember(postgres.owner_url(), "from the command")

    assert attach(data_dir) is not None
    up.communicate()
    assert attach(data_dir) is None


def test_two_starters_at_once_get_the_same_servers(data_dir: Path, holder: Holder) -> None:
    starters = [holder() for _ in range(3)]

    assert all(holds(starter) for starter in starters)

    for starter in starters:
        starter.communicate()
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    assert not Postgres(data_dir / "postgres").is_running()


def test_servers_whose_user_was_killed_are_found_again_and_then_stopped(
    data_dir: Path, holder: Holder
) -> None:
    killed = holder()
    assert holds(killed)
    survivor = Postgres(data_dir / "postgres").process_id()

    killed.kill()
    killed.wait()

    with open_services(Settings(data_dir=data_dir)):
        assert Postgres(data_dir / "postgres").process_id() == survivor
    assert attach(data_dir) is None


@pytest.mark.parametrize("kind", [Postgres, Valkey])
def test_a_server_that_died_is_started_again_while_in_use(data_dir: Path, kind: type[Server]) -> None:
    server = kind(data_dir / kind.__name__.lower())
    with in_use(server):
        assert not revive(server)
        os.kill(server.process_id(), signal.SIGKILL)
        while server.is_running():
            time.sleep(0.01)

        assert revive(server)
        assert server.answers()


def test_a_process_id_that_belongs_to_somebody_else_now_is_left_alone(data_dir: Path) -> None:
    server = Postgres(data_dir / "postgres")
    with in_use(server):
        stale = (server.data / "postmaster.pid").read_text().splitlines()
    (server.data / "postmaster.pid").write_text("\n".join([str(os.getppid()), *stale[1:]]))

    with in_use(server):
        assert server.answers()

    os.kill(os.getppid(), 0)


def test_a_long_and_odd_path_still_works(new_dir: Path) -> None:
    deep = new_dir / ("a long, odd directory name " * 4) / "ünï%20code"
    deep.mkdir(parents=True)

    with open_services(Settings(new_dir=deep)) as services:
        remember(services.database.migration_url, "reached")


def test_nothing_is_left_in_the_temporary_directory(new_dir: Path) -> None:
    deep = new_dir / ("deep" * 25)
    with embedded_valkey(deep) as valkey:
        sockets = valkey.run_dir
        assert sockets.exists()

    assert not sockets.exists()
    assert not sockets.is_relative_to(new_dir)


def test_a_socket_directory_made_by_another_user_is_not_used(new_dir: Path) -> None:
    server = Valkey(new_dir / ("deep" * 25))
    server.run_dir.symlink_to(new_dir)

    try:
        with pytest.raises(ServerError, match="belongs to another user"), in_use(server):
            pass
    finally:
        server.run_dir.unlink()


def test_only_the_user_who_started_it_gets_in(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as postgres:
        assert postgres.run_dir.stat().st_mode & 0o077 == 0
        with postgres.connect() as connection:
            [[line]] = connection.execute(
                "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'peer'"
            )
        assert line == 0


def test_names_and_addresses_stay_out_of_the_servers_log(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as postgres, postgres.connect() as connection:
        connection.execute("CREATE TABLE person (name text UNIQUE)")
        connection.execute("INSERT INTO person VALUES (%s)", ["Ada Lovelace"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO person VALUES (%s)", ["Ada Lovelace"])

        said = postgres.log.read_text()

    assert "duplicate key" in said
    assert "Ada" not in said


def test_a_server_that_cannot_start_says_why_in_one_line(data_dir: Path) -> None:
    server = Postgres(data_dir / "postgres")
    with in_use(server):
        pass
    override = server.data / "postgresql.auto.conf"
    override.write_text("no_such_setting = 1\n")

    with pytest.raises(ServerError) as error, in_use(server):
        pass

    override.write_text("")
    assert str(error.value).startswith("PostgreSQL did not start: ")
    assert "\n" not in str(error.value)


def test_a_first_start_that_was_cut_short_is_made_good(new_dir: Path) -> None:
    server = Postgres(new_dir / "postgres")
    (server.directory / "data.unfinished").mkdir(parents=True)
    (server.directory / "data.unfinished" / "PG_VERSION").write_text("18\n")

    with in_use(server):
        assert server.answers()


def test_data_of_another_postgresql_is_not_touched(new_dir: Path) -> None:
    server = Postgres(new_dir / "postgres")
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("12\n")

    with (
        pytest.raises(ServerError, match=r"was made by PostgreSQL 12; this Mailrun brings 18"),
        in_use(server),
    ):
        pass


def test_servers_of_ones_own_are_used_where_they_are_named(new_dir: Path) -> None:
    settings = Settings(new_dir=data_dir, database_url="postgresql://h/d", redis_url="redis://h")

    with open_services(settings) as services, open_database(settings) as database:
        assert (services.database_url, services.redis_url) == ("postgresql+psycopg://h/d", "redis://h")
        assert database == services.database

    assert list(new_dir.iterdir()) == []


def test_a_data_directory_that_cannot_be_made_is_one_line(new_dir: Path) -> None:
    (new_dir / "file").touch()

    with pytest.raises(ServerError, match="cannot use"):
        own_directory(new_dir / "file" / "below")
