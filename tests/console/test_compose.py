import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
import yaml
from sqlalchemy import Engine, create_engine, inspect, select

from console.crew import free_port
from console.postgres import Postgres
from console.roles import OWNER
from console.valkey import Valkey
from console.web.server import READY
from models import Heartbeat
from worker.desk import CALLS, CONCURRENCY
from worker.settings import LIVE_URL, SANDBOX_KEY, Settings
from worker.signatures import fresh_secret, sign

if TYPE_CHECKING:
    from tests.conftest import Program, Sandbox, _Programs

ROOT: Final = Path(__file__).parents[2]
SERVICES: Final = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PATIENCE: Final = 30.0
VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[?-])(?P<rest>[^}]*))?\}")


def environment(service: str, dot_env: Mapping[str, str]) -> dict[str, str]:
    """Return what Compose would set for a service, given a `.env`; raises KeyError where Compose would refuse."""
    told: dict[str, Any] = SERVICES[service].get("environment", {})
    passed_on = {name: dot_env.get(name) for name, value in told.items() if value is None}
    written = {name: _filled_in(str(value), dot_env) for name, value in told.items() if value is not None}
    return {name: value for name, value in (passed_on | written).items() if value is not None}


def _filled_in(text: str, dot_env: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        given = dot_env.get(found["name"], "")
        if not given and found["kind"] == "?":
            raise KeyError(found["name"])
        return given or found["rest"]

    return VARIABLE.sub(value, text)


def start(programs: "_Programs", command: list[str], env: Mapping[str, str]) -> "Program":
    """Start a command with these variables and no others, as a container would."""
    path = f"PATH={Path(sys.executable).parent}:/usr/bin:/bin"
    said = [f"{name}={value}" for name, value in env.items()]
    return programs.start(command[0], "/usr/bin/env", "-i", path, *said, *command, env={})


def run(programs: "_Programs", command: list[str], env: Mapping[str, str]) -> int:
    return start(programs, command, env).process.wait(PATIENCE)


def eventually(true: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def dot_env(broker_prefix: str) -> dict[str, str]:
    return {
        "POSTGRES_PASSWORD": "unused-here",
        "OWNER_PASSWORD": "unused-either",
        "APPLICATION_PASSWORD": "nor-this",
        "LETTRLABS_API_KEY": SANDBOX_KEY,
        "MAILRUN_BROKER_PREFIX": broker_prefix,
    }


def test_compose_hands_on_every_setting_and_nothing_unknown() -> None:
    settings = {str(field.validation_alias) for field in Settings.model_fields.values()}

    # The data directory is the container's own business; libpq reads the password itself.
    told = settings - {"MAILRUN_DATA_DIR", "MIGRATION_DATABASE_URL"} | {"PGPASSWORD"}

    for service in ("worker", "beat", "web"):
        assert set(SERVICES[service]["environment"]) == told
    assert set(SERVICES["migrate"]["environment"]) == told | {"MIGRATION_DATABASE_URL"}


@pytest.mark.parametrize("forgotten", ["APPLICATION_PASSWORD", "LETTRLABS_API_KEY"])
def test_compose_starts_nothing_without_its_secrets(dot_env: dict[str, str], forgotten: str) -> None:
    del dot_env[forgotten]

    with pytest.raises(KeyError, match=forgotten):
        environment("worker", dot_env)


def test_compose_speaks_to_lettrlabs_unless_told_otherwise(dot_env: dict[str, str]) -> None:
    assert environment("worker", dot_env)["LETTRLABS_BASE_URL"] == LIVE_URL


def test_the_sandbox_container_knows_no_secret(dot_env: dict[str, str]) -> None:
    assert environment("sandbox", dot_env) == {}


def test_the_migrate_service_makes_the_tables(
    postgres: Postgres, programs: "_Programs", dot_env: dict[str, str]
) -> None:
    with postgres.connect() as connection:
        connection.execute(f"CREATE DATABASE composed OWNER {OWNER}")
    env = environment("migrate", dot_env) | {
        "DATABASE_URL": postgres.url("composed"),
        "MIGRATION_DATABASE_URL": postgres.owner_url("composed"),
    }

    assert run(programs, SERVICES["migrate"]["command"], env) == 0

    engine = create_engine(postgres.url("composed"))
    assert "mailing" in inspect(engine).get_table_names()
    engine.dispose()


def test_the_sandbox_service_is_healthy_by_its_own_check(programs: "_Programs", tmp_path: Path) -> None:
    service, port = SERVICES["sandbox"], str(free_port())
    moved = {"8790": port, "/data/sandbox": str(tmp_path / "state")}
    command = [moved.get(part, part) for part in service["command"]]
    check = [part.replace("8790", port) for part in service["healthcheck"]["test"][1:]]

    start(programs, command, {}).wait_for("sandbox ready on ")

    assert run(programs, check, {}) == 0


def test_the_web_service_is_healthy_by_its_own_check_and_takes_signed_events(
    programs: "_Programs", database_url: str, dot_env: dict[str, str]
) -> None:
    service, port, secret = SERVICES["web"], str(free_port()), fresh_secret()
    command = [{"8780": port, "0.0.0.0": "127.0.0.1"}.get(part, part) for part in service["command"]]  # noqa: S104
    check = [part.replace("8780", port) for part in service["healthcheck"]["test"][1:]]
    address = {"DATABASE_URL": database_url}
    event = '{"specversion": "1.0", "id": "1", "source": "shop", "type": "t"}'
    headers = {
        "content-type": "application/cloudevents+json",
        **sign([secret], "m", datetime.now(UTC), event),
    }

    env = environment("web", dot_env | {"MAILRUN_EVENT_SECRETS": secret}) | address
    start(programs, command, env).wait_for(READY)

    assert run(programs, check, {}) == 0
    answer = httpx.post(f"http://127.0.0.1:{port}/v1/events", content=event, headers=headers)
    assert answer.status_code == 202


def test_worker_and_beat_services_are_healthy_together(
    programs: "_Programs", sandbox: "Sandbox", engine: Engine, redis_url: str, dot_env: dict[str, str]
) -> None:
    dot_env["LETTRLABS_BASE_URL"] = sandbox.api_url
    address = {"DATABASE_URL": engine.url.render_as_string(hide_password=False), "REDIS_URL": redis_url}

    for service in ("worker", "beat"):
        start(programs, SERVICES[service]["command"], environment(service, dot_env) | address)

    def alive() -> bool:
        with engine.connect() as connection:
            return set(connection.scalars(select(Heartbeat.kind))) >= {"worker", "dispatch"}

    assert eventually(alive)
    check = SERVICES["beat"]["healthcheck"]["test"][1:]
    assert run(programs, check, environment("beat", dot_env) | address) == 0


def test_the_broker_is_started_as_the_worker_needs_it(run_dir: Path) -> None:
    here = Valkey(run_dir / "unused").options()
    options = dict(zip(here[::2], here[1::2], strict=True))

    for option in SERVICES["redis"]["command"][1:]:
        name, _, value = option.partition("=")
        assert options.get(name, value) == value


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)

    assert users == ["10001:10001"]


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_of_compose_has_a_power_or_room_that_it_does_not_need(service: str) -> None:
    told = SERVICES[service]

    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert told["read_only"] is True
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", told["user"])
    assert told["mem_limit"]
    assert told["pids_limit"]


def test_the_broker_is_full_before_its_container_is() -> None:
    limit = next(option for option in SERVICES["redis"]["command"] if option.startswith("--maxmemory="))

    assert (limit, SERVICES["redis"]["mem_limit"]) == ("--maxmemory=384mb", "512m")


def test_postgresql_has_connections_for_six_workers() -> None:
    told = dict(option.split("=") for option in SERVICES["postgres"]["command"][2::2])

    assert int(told["max_connections"]) >= 6 * (CALLS + CONCURRENCY) + 50


def test_the_roles_service_makes_an_owner_and_a_role_that_reads_and_writes_rows(postgres: Postgres) -> None:
    psql = postgres.find_programs().command.with_name("psql")
    passwords = {"OWNER_PASSWORD": "it's one", "APPLICATION_PASSWORD": "another"}
    with postgres.connect() as connection:
        # As an older version left it: the superuser owns the database and what is in it.
        connection.execute("CREATE DATABASE older")
    with postgres.connect("older") as connection:
        connection.execute("CREATE TABLE kept (id int GENERATED ALWAYS AS IDENTITY)")
    for _ in range(2):
        subprocess.run(
            [
                psql,
                "--no-psqlrc",
                "--quiet",
                "--username=postgres",
                "--dbname=older",
                f"--host={postgres.run_dir}",
                f"--file={ROOT / 'deploy' / 'roles.sql'}",
            ],
            env=passwords,
            check=True,
        )

    with postgres.connect("older") as connection:
        owners = connection.execute(
            "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'kept'"
        ).fetchall()
        found = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'mailrun_app'").fetchall()
    with postgres.connect() as connection:
        connection.execute("DROP DATABASE older")
        connection.execute("DROP ROLE mailrun_app")
    assert (owners, found) == ([(OWNER,)], [(False,)])


def test_no_service_that_works_knows_the_superusers_or_the_owners_password() -> None:
    for service in ("worker", "beat", "web"):
        told = str(SERVICES[service]["environment"])
        assert "POSTGRES_PASSWORD" not in told
        assert "OWNER_PASSWORD" not in told
