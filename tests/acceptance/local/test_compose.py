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

from console.api.server import READY
from console.local.postgres import Postgres
from console.local.process_specs import free_port
from console.local.roles import OWNER
from console.local.valkey import Valkey
from models import Heartbeat
from worker.context import CALL_POOL_SIZE, MESSAGE_THREADS
from worker.settings import LIVE_URL, SANDBOX_KEY, Settings
from worker.webhooks.signatures import fresh_secret, sign

if TYPE_CHECKING:
    from tests.conftest import Program, Sandbox, _Programs

ROOT: Final = Path(__file__).parents[3]
COMPOSED: Final = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Final = COMPOSED["services"]
PATIENCE: Final = 30.0
VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<rest>[^}]*))?\}")


def environment(service: str, dot_env: Mapping[str, str], secrets: Path | None = None) -> dict[str, str]:
    """Return what Compose would set for a service, given a `.env` and a directory of this machine for its secrets."""
    told: dict[str, Any] = SERVICES[service].get("environment", {})
    passed_on = {name: dot_env.get(name) for name, value in told.items() if value is None}
    written = {name: _filled_in(str(value), dot_env) for name, value in told.items() if value is not None}
    moved = str(secrets) if secrets else "/run/secrets"
    given = {name: value for name, value in (passed_on | written).items() if value is not None}
    return {name: value.replace("/run/secrets", moved) for name, value in given.items()}


def _filled_in(text: str, dot_env: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return dot_env.get(found["name"], "") or found["rest"]

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
        "MAILRUN_BROKER_PREFIX": broker_prefix,
    }


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Return a directory with every secret of Compose in a file, as its beginning tells to make it."""
    directory = tmp_path / "secrets"
    directory.mkdir()
    for name in COMPOSED["secrets"]:
        (directory / name).write_text("it's of no use\n")
    (directory / "lettrlabs_api_key").write_text(f"{SANDBOX_KEY}\n")
    (directory / "event_secrets").write_text(f"{fresh_secret()}\n")
    return directory


def test_compose_hands_on_every_setting_and_nothing_unknown() -> None:
    settings = {str(field.validation_alias) for field in Settings.model_fields.values()}
    as_files = {"LETTRLABS_API_KEY", "MAILRUN_EVENT_SECRETS"}

    # The data directory is the container's own business; the password stands in no address.
    told = settings - as_files - {"MAILRUN_DATA_DIR", "MIGRATION_DATABASE_URL"}
    told |= {f"{name}_FILE" for name in {*as_files, "PGPASSWORD"}}

    for service in ("worker", "beat", "web"):
        assert set(SERVICES[service]["environment"]) == told
    assert set(SERVICES["migrate"]["environment"]) == told | {"MIGRATION_DATABASE_URL"}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_gets_the_secrets_that_it_reads_and_no_others(service: str) -> None:
    told = SERVICES[service]
    read = {
        Path(value).name
        for value in told.get("environment", {}).values()
        if str(value).startswith("/run/secrets/")
    }
    if service == "roles":
        read = {"postgres_password", "owner_password", "application_password"}

    assert set(told.get("secrets", [])) == read
    assert read <= set(COMPOSED["secrets"])


def test_every_secret_is_a_file_of_a_directory_that_git_and_the_image_leave_out() -> None:
    files = {secret["file"] for secret in COMPOSED["secrets"].values()}

    assert {str(Path(file).parent) for file in files} == {"secrets"}
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "PASSWORD:" not in (ROOT / "docker-compose.yml").read_text()


def test_compose_speaks_to_lettrlabs_unless_told_otherwise(dot_env: dict[str, str]) -> None:
    assert environment("worker", dot_env)["LETTRLABS_BASE_URL"] == LIVE_URL


def test_the_sandbox_container_knows_no_secret(dot_env: dict[str, str]) -> None:
    assert environment("sandbox", dot_env) == {}


def test_the_migrate_service_makes_the_tables(
    postgres: Postgres, programs: "_Programs", dot_env: dict[str, str], secrets: Path
) -> None:
    with postgres.connect() as connection:
        connection.execute(f"CREATE DATABASE composed OWNER {OWNER}")
    env = environment("migrate", dot_env, secrets) | {
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
    programs: "_Programs", database_url: str, dot_env: dict[str, str], secrets: Path
) -> None:
    service, port = SERVICES["web"], str(free_port())
    secret = (secrets / "event_secrets").read_text().strip()
    command = [{"8780": port, "0.0.0.0": "127.0.0.1"}.get(part, part) for part in service["command"]]  # noqa: S104
    check = [part.replace("8780", port) for part in service["healthcheck"]["test"][1:]]
    address = {"DATABASE_URL": database_url}
    event = '{"specversion": "1.0", "id": "1", "source": "shop", "type": "t"}'
    headers = {
        "content-type": "application/cloudevents+json",
        **sign([secret], "m", datetime.now(UTC), event),
    }

    env = environment("web", dot_env, secrets) | address
    start(programs, command, env).wait_for(READY)

    assert run(programs, check, {}) == 0
    answer = httpx.post(f"http://127.0.0.1:{port}/v1/events", content=event, headers=headers)
    assert answer.status_code == 202


def test_worker_and_beat_services_are_healthy_together(
    programs: "_Programs",
    sandbox: "Sandbox",
    engine: Engine,
    redis_url: str,
    dot_env: dict[str, str],
    secrets: Path,
) -> None:
    dot_env["LETTRLABS_BASE_URL"] = sandbox.api_url
    address = {"DATABASE_URL": engine.url.render_as_string(hide_password=False), "REDIS_URL": redis_url}

    for service in ("worker", "beat"):
        start(programs, SERVICES[service]["command"], environment(service, dot_env, secrets) | address)

    def alive() -> bool:
        with engine.connect() as connection:
            return set(connection.scalars(select(Heartbeat.kind))) >= {"worker", "dispatch"}

    assert eventually(alive)
    check = SERVICES["beat"]["healthcheck"]["test"][1:]
    assert run(programs, check, environment("beat", dot_env, secrets) | address) == 0


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

    assert int(told["max_connections"]) >= 6 * (CALL_POOL_SIZE + MESSAGE_THREADS) + 50


def test_the_roles_service_makes_an_owner_and_a_role_that_reads_and_writes_rows(
    postgres: Postgres, secrets: Path
) -> None:
    programs = postgres.find_programs().command.parent
    with postgres.connect() as connection:
        # As an older version left it: the superuser owns the database and what is in it.
        connection.execute("CREATE DATABASE older")
    with postgres.connect("older") as connection:
        connection.execute("CREATE TABLE kept (id int GENERATED ALWAYS AS IDENTITY)")
    for _ in range(2):
        subprocess.run(
            ["/bin/sh", ROOT / "deploy" / "roles.sh"],
            env={
                "PATH": f"{programs}:/usr/bin:/bin",
                "SECRETS": str(secrets),
                "PGHOST": str(postgres.run_dir),
                "PGUSER": "postgres",
                "PGDATABASE": "older",
            },
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
        assert not {"postgres_password", "owner_password"} & set(SERVICES[service]["secrets"])
