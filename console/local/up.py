"""Everything on this machine: database, broker, sandbox, workers and beat, from one command."""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import quote, quote_plus

from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError, OperationalError

import migrations
from console.local import process_specs
from console.local.errors import ServerError
from console.local.process import Say
from console.local.server import Server
from console.local.services import Database, open_services, own_directory, revive
from console.local.supervisor import Supervisor
from console.queries.health import at_work_since
from worker.clock import system_clock
from worker.context import open_engine
from worker.service_addresses import password_of
from worker.settings import LIVE_URL, SANDBOX_KEY, Settings, Vendor
from worker.webhooks.event_secrets import parse_secrets

# How soon Ctrl-C is noticed.
LOOK_SECONDS: Final = 0.1
# A sandbox reads its journal first.
SANDBOX_READY_SECONDS: Final = 30.0
# Workers and beat are at work within seconds; after this the person is told, and not kept waiting any longer.
AT_WORK_SECONDS: Final = 60.0
# A server that dies costs its users this much and its own start.
SERVER_LOOK_SECONDS: Final = 1.0
# Another terminal that only looks whether `up` runs holds the lock for an instant.
LOCK_TRIES: Final = 5


class UpError(Exception):
    """One line: what keeps everything from running here."""


@dataclass
class StopRequest:
    """How often the person at the keyboard asked to stop: once is kindly, twice is at once.

    A plain count, and looked at, because a signal may arrive anywhere: setting a threading.Event from its
    handler deadlocks when the same thread is just about to wait for it.
    """

    times: int = 0

    def is_made(self) -> bool:
        """Whether to stop."""
        return self.times > 0

    def is_urgent(self) -> bool:
        """Whether to give nobody time to end well."""
        return self.times > 1


def run_up(settings: Settings, say: Say, *, workers: int = 1) -> int:
    """Run everything until Ctrl-C or SIGTERM; returns the exit code: 0 when asked to stop, 1 if it cannot run.

    `say` takes one line at a time, and may be called from several threads.
    """
    with _stop_on_signals() as request:
        try:
            began = system_clock()
            with everything(settings, say, workers=workers, web=True, request=request) as running:
                if _are_at_work(running, began, request):
                    say("Everything runs. Ctrl-C stops it; what is queued goes on with the next start.")
                elif not request.is_made():
                    say("Everything is started, but no mailing is worked on yet; `mailrun doctor` tells why.")
                while not request.is_made():
                    time.sleep(LOOK_SECONDS)
                say("Stopping: a call in flight is allowed to end. Ctrl-C again stops at once.")
        except (ServerError, UpError) as error:
            say(str(error))
            return 1
    return 0


@contextmanager
def everything(
    settings: Settings,
    say: Say,
    *,
    workers: int = 1,
    web: bool = False,
    request: StopRequest | None = None,
) -> Iterator[Settings]:
    """Run everything while the context lasts; yields the settings with every address filled in.

    Raises ServerError or UpError when something cannot run, most of all when another `up` runs here already.
    """
    request = request or StopRequest()
    here = own_directory(settings.data_dir)
    with ExitStack() as stack:
        lock = stack.enter_context(_only_one(here))
        services = stack.enter_context(open_services(settings))
        _migrate(services.database)
        stack.enter_context(_kept_alive(services.servers, say))
        found = {"data_dir": here, "database_url": services.database_url, "redis_url": services.redis_url}
        settings = settings.model_copy(update=found)
        logs, secrets = here / "logs", _secrets(settings)
        if settings.vendor is Vendor.SANDBOX and settings.base_url == LIVE_URL:
            vendor = stack.enter_context(Supervisor(logs, say, secrets=secrets, in_a_hurry=request.is_urgent))
            settings = _with_sandbox(settings, vendor, request)
        say(vendor_line(settings))
        if os.geteuid() == 0:
            say("Workers, beat and web run as root; an ordinary user is enough for Mailrun.")
        lock.write_text(settings.base_url)
        staff = stack.enter_context(Supervisor(logs, say, secrets=secrets, in_a_hurry=request.is_urgent))
        for program in (*process_specs.workers(settings, workers), process_specs.beat(settings)):
            staff.start(program)
        if web:
            port = process_specs.free_port(process_specs.WEB_PORT)
            staff.start(process_specs.web(settings, port))
            say(f"HTTP at http://127.0.0.1:{port}: events, mailings and campaigns; docs/api.md tells how.")
        yield settings


def _are_at_work(settings: Settings, began: datetime, request: StopRequest) -> bool:
    """Wait until a worker and the beat have shown life; False if they take too long, or the person does not wait."""
    deadline = time.monotonic() + AT_WORK_SECONDS
    engine = open_engine(str(settings.database_url), connections=1)
    try:
        while not request.is_made() and time.monotonic() < deadline:
            with suppress(DBAPIError), engine.connect() as connection:
                if at_work_since(connection, began):
                    return True
            time.sleep(LOOK_SECONDS)
        return False
    finally:
        engine.dispose()


def running_base_url(data_dir: Path) -> str | None:
    """Return the vendor's address that the `up` of this data directory uses, or None if none runs.

    A sandbox started by `up` has a new port each time, which only `up` knows.
    """
    lock = data_dir.absolute() / "up.lock"
    try:
        with lock.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return lock.read_text() or None
    return None


def vendor_line(settings: Settings) -> str:
    """Return the line that says who is spoken to, and what that means."""
    if settings.vendor is Vendor.SANDBOX:
        return f"SANDBOX at {settings.base_url}: nothing is mailed, nothing is charged."
    return f"LIVE LettrLabs at {settings.base_url}: what is sent is printed, mailed and charged."


@contextmanager
def _stop_on_signals() -> Iterator[StopRequest]:
    request = StopRequest()

    def asked(_number: int, _frame: FrameType | None) -> None:
        request.times += 1

    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(kind, asked) for kind in kinds]
    try:
        yield request
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


@contextmanager
def _only_one(here: Path) -> Iterator[Path]:
    """Hold the data directory for one `up`; yields the lock file, in which it tells others what it uses."""
    path = here / "up.lock"
    with path.open("ab") as lock:
        for last_try in [False] * LOCK_TRIES + [True]:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if last_try:
                    raise UpError(f"mailrun up runs in {here} already; one is enough") from None
                time.sleep(0.1)
        lock.truncate(0)
        yield path


def _migrate(database: Database) -> None:
    try:
        database.migrate()
    except migrations.UnfitDatabaseError as error:
        raise UpError(str(error)) from None
    except OperationalError as error:
        reason = str(error.orig).splitlines()[0]
        raise UpError(f"PostgreSQL cannot be used: {reason}") from None


@contextmanager
def _kept_alive(servers: tuple[Server, ...], say: Say) -> Iterator[None]:
    stopping = threading.Event()

    def look() -> None:
        while not stopping.wait(SERVER_LOOK_SECONDS):
            for server in servers:
                try:
                    if revive(server):
                        say(f"{server.name} had died; started again")
                except ServerError as error:
                    say(str(error))

    watch = threading.Thread(target=look, name="servers")
    watch.start()
    try:
        yield
    finally:
        stopping.set()
        watch.join()


def _with_sandbox(settings: Settings, vendor: Supervisor, request: StopRequest) -> Settings:
    """Start a sandbox and return the settings that lead to it."""
    port = process_specs.free_port()
    output = vendor.start(process_specs.sandbox(settings, port))
    deadline = time.monotonic() + SANDBOX_READY_SECONDS
    while not output.ready.wait(LOOK_SECONDS):
        if request.is_made():
            raise UpError("stopped before the sandbox was ready")
        if time.monotonic() > deadline:
            raise UpError(f"the sandbox does not start; see {settings.data_dir / 'logs' / 'sandbox.log'}")
    own = {"base_url": f"http://127.0.0.1:{port}/api", "api_key": SecretStr(SANDBOX_KEY)}
    return settings.model_copy(update=own)


def _secrets(settings: Settings) -> tuple[str, ...]:
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    urls = (settings.database_url, settings.migration_database_url, settings.redis_url)
    passwords = [password_of(url) for url in urls]
    given = settings.event_secrets.get_secret_value() if settings.event_secrets else ""
    events = [secret.key for secret in parse_secrets(given)]
    return (key, *passwords, *map(quote_plus, passwords), *map(quote, passwords), *events)
