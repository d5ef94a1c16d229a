"""What every test may ask for: a real PostgreSQL, Redis, sandbox and workers, all of this run alone."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from sqlalchemy import Engine, create_engine

import migrations
from console.api.server import READY
from console.api.tokens import Scope, create_token
from console.local.postgres import Postgres
from console.local.roles import OWNER
from console.local.services import in_use
from tests.distribution import postgres_kind, redis_kind
from tests.proof.state_machine.vendor import served
from worker.settings import SANDBOX_KEY, Settings
from worker.webhooks.signatures import fresh_secret, sign

ROOT: Final = Path(__file__).parents[1]
# Port 9 discards on no machine of ours: a test that forgot its sandbox is refused at once.
NOBODY: Final = "http://127.0.0.1:9/api"
# A start on two busy cores; a test that waits this long has failed.
PATIENCE_SECONDS: Final = 30.0
TEMPLATE: Final = "migrated"


def pytest_configure() -> None:
    """Keep a developer's own `.env` and environment, with a key that spends money, out of every test."""
    for setting in Settings.model_fields.values():
        os.environ.pop(str(setting.validation_alias), None)
    Settings.model_config["env_file"] = None
    os.environ.update(LETTRLABS_API_KEY=SANDBOX_KEY, LETTRLABS_BASE_URL=NOBODY)
    # Two shared cores can stall any example; what a property test has found belongs into the tests, not on a disk.
    hypothesis_settings.register_profile(
        "shared machine", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    hypothesis_settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def run_dir() -> Iterator[Path]:
    """Yield a directory of this run with a short path; gone with everything in it when the run ends."""
    path = Path(tempfile.mkdtemp(prefix="mailrun-tests-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def servers_dir(run_dir: Path) -> Path:
    """Return where the servers live: `TEST_SERVERS`, if several runs share them, or a directory of this run."""
    return Path(os.environ.get("TEST_SERVERS", run_dir))


@pytest.fixture(scope="session")
def postgres(servers_dir: Path) -> Iterator[Postgres]:
    """Yield a PostgreSQL that holds a migrated database to copy from."""
    server = postgres_kind(servers_dir / "postgres", durable=False)
    with in_use(server):
        migrate_template(server)
        yield server


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """Yield the address of a migrated, empty database of this test's own."""
    name = create_database(postgres, f"test_{uuid.uuid4().hex}", copy_of=TEMPLATE)
    yield postgres.url(name)
    with postgres.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Yield an engine on this test's database."""
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def redis_url(servers_dir: Path) -> Iterator[str]:
    """Yield the address of a Redis; tests keep apart by `broker_prefix`."""
    server = redis_kind(servers_dir / "valkey")
    with in_use(server):
        yield server.url


@pytest.fixture
def broker_prefix() -> str:
    """Return a beginning for Redis keys that no other test uses."""
    return f"test-{uuid.uuid4().hex}:"


@dataclass(frozen=True)
class Program:
    """A process a test started: its id, and all it has said so far."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Return the first line with `words`; fails the test if the program ends, or stays silent, first."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            code = self.process.poll()
            for line in self.said().splitlines():
                if words in line:
                    return line
            if code is not None:
                pytest.fail(f"ended with {code} before saying {words!r}:\n{self.said()}")
            time.sleep(0.02)
        pytest.fail(f"did not say {words!r} in {seconds} s:\n{self.said()}")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Ask it to end, and return its exit code once it has."""
        self.process.terminate()
        return self.process.wait(seconds)

    def _end(self, kind: signal.Signals) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, kind)
        self.process.wait(PATIENCE_SECONDS)


@dataclass
class _Programs:
    directory: Path
    started: list[Program] = field(default_factory=list)

    def start(self, name: str, *command: str, env: Mapping[str, str]) -> Program:
        log = self.directory / f"{len(self.started)}-{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.directory,
                env={**os.environ, "PYTHONPATH": str(ROOT), **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(Program(process, log))
        return self.started[-1]

    def end_all(self) -> None:
        for program in self.started:
            program.kill()
            # Shown by pytest beside a failure, and only then.
            sys.stdout.write(f"--- {program.log.name}\n{program.said()[-4000:]}\n")


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[_Programs]:
    """Yield a starter of processes that are gone, with their children, when the test ends."""
    started = _Programs(tmp_path)
    yield started
    started.end_all()


@dataclass(frozen=True)
class Sandbox:
    """A LettrLabs of this test's own, and the control calls that only a sandbox has."""

    url: str
    program: Program

    @property
    def api_url(self) -> str:
        """What LETTRLABS_BASE_URL must be."""
        return f"{self.url}/api"

    @property
    def key(self) -> str:
        return SANDBOX_KEY

    @property
    def env(self) -> dict[str, str]:
        """What a worker must be told to use this sandbox."""
        return {"LETTRLABS_BASE_URL": self.api_url, "LETTRLABS_API_KEY": self.key}

    def ledger(self) -> Any:
        """Return what really happened: orders, pieces per person, charges."""
        return self._call("GET", "ledger").json()

    def fail(self, endpoint: str, kind: str, **rule: object) -> None:
        """Make calls to `endpoint` go wrong as the sandbox's fault rules describe."""
        self._call("POST", "faults", {"endpoint": endpoint, "kind": kind, **rule})

    def heal(self) -> None:
        """Forget every fault."""
        self._call("DELETE", "faults")

    def set_clock(self, **clock: object) -> None:
        self._call("POST", "clock", clock)

    def set(self, **settings: object) -> None:
        self._call("POST", "settings", settings)

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        answer = httpx.request(method, f"{self.url}/sandbox/{path}", json=body, timeout=PATIENCE_SECONDS)
        assert answer.is_success, f"{method} /sandbox/{path}: {answer.status_code} {answer.text}"
        return answer


@pytest.fixture
def start_sandbox(programs: _Programs, tmp_path: Path) -> Callable[[str], Sandbox]:
    """Return a function that starts a sandbox, remembering under the name it is given."""

    def start(name: str) -> Sandbox:
        command = (sys.executable, "-m", "sandbox", "--port", "0", "--state", str(tmp_path / name))
        program = programs.start("sandbox", *command, env={})
        return Sandbox(program.wait_for("sandbox ready on ").split()[-1], program)

    return start


@pytest.fixture
def sandbox(start_sandbox: Callable[[str], Sandbox]) -> Sandbox:
    """Return a running sandbox that nobody else uses."""
    return start_sandbox("sandbox")


@pytest.fixture(scope="session")
def standing_sandbox(run_dir: Path) -> Iterator[str]:
    """Yield the address of a sandbox whose time stands still unless moved, for tests that empty it first."""
    with served(run_dir / "standing-sandbox") as url:
        yield url


StartWorker = Callable[..., Program]


@pytest.fixture
def worker_process(programs: _Programs, database_url: str, redis_url: str, broker_prefix: str) -> StartWorker:
    """Return a function that starts a real Celery worker, or with `beat=True` a beat, and waits until it is up.

    It uses this test's database and broker; `env` adds to that, most of all `sandbox.env`.
    """

    def start(env: Mapping[str, str] | None = None, *args: str, beat: bool = False) -> Program:
        service = "beat" if beat else "worker"
        program = programs.start(
            service,
            *(sys.executable, "-m", "celery", "-A", "worker", service, "--loglevel", "INFO", *args),
            env={
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "MAILRUN_BROKER_PREFIX": broker_prefix,
                **(env or {}),
            },
        )
        program.wait_for("beat: Starting" if beat else "ready.")
        return program

    return start


@dataclass(frozen=True)
class Web:
    """A `mailrun web` of this test's own, its events' secret, and a token that is good for everything."""

    url: str
    program: Program
    secret: str
    token: str
    client: httpx.Client

    def post_event(self, event: Mapping[str, Any] | list[Any], **headers: str) -> httpx.Response:
        """Post an event, or a list of them as a batch, in structured mode, signed."""
        kind = (
            "application/cloudevents-batch+json"
            if isinstance(event, list)
            else "application/cloudevents+json"
        )
        body = json.dumps(event)
        signed = sign([self.secret], f"msg_{uuid.uuid4().hex}", datetime.now(UTC), body)
        return self.send("POST", "/v1/events", body, {"content-type": kind, **signed, **headers})

    def get(self, path: str) -> httpx.Response:
        return self.send("GET", path)

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        given = {"authorization": f"Bearer {self.token}", **(headers or {})}
        return self.client.request(method, self.url + path, content=body, headers=given)


@pytest.fixture
def web_process(programs: _Programs, database_url: str, engine: Engine) -> Iterator[Callable[..., Web]]:
    """Yield a function that starts a `mailrun web` on this test's database, again on the same port if asked."""
    secret = fresh_secret()
    with engine.begin() as connection:
        token = create_token(connection, "tests", Scope)

    def start(port: int = 0) -> Web:
        command = (sys.executable, "-m", "console", "web", "--port", str(port))
        env = {"DATABASE_URL": database_url, "MAILRUN_EVENT_SECRETS": secret}
        program = programs.start("web", *command, env=env)
        return Web(program.wait_for(READY).split()[-1], program, secret, token or "", client)

    with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
        yield start


def migrate_template(server: Postgres) -> None:
    """Create the migrated database that tests copy, unless a run before this one has."""
    with server.connect() as connection:
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone()
    if known is not None:
        return
    name = create_database(server, TEMPLATE, copy_of="template1")
    migrations.upgrade(server.owner_url(name), application_url=server.url(name))


def create_database(server: Postgres, name: str, *, copy_of: str) -> str:
    """Create a database as the embedded one is: its owner migrates, the application reads and writes rows."""
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY")
    with server.connect() as connection:
        connection.execute(statement.format(*map(sql.Identifier, (name, OWNER, copy_of))))
    return name
