"""The doctor: is everything there that mail needs, and if not, what to do about it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

import migrations
from console.explanations import explain, refusal
from console.reads.attention import people_needed
from console.reads.life import halt, latest_tick, shared_why, workers_alive
from console.reads.webhooks import disabled
from console.session import knows_vendor
from console.vendor import quick_vendor
from console.views.words import when
from lettrlabs import Refused, Timeouts, Unavailable
from models import State
from worker.clock import machine_clock
from worker.desk import open_engine
from worker.settings import Settings

# Leases and due times go by the database's clock. A signature's time stamp goes by the machine's, and receivers
# accept it for five minutes.
SKEW_WORTH_SAYING: Final = timedelta(seconds=2)
SKEW_TOO_FAR: Final = timedelta(minutes=4)
OLDEST_POSTGRES: Final = 14
KEEPS: Final = ("fsync", "synchronous_commit")
OLDEST_REDIS: Final = (6, 2)


class Verdict(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding, and what to do about it unless all is well."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether mail cannot go out, or not safely."""
        return self.verdict is Verdict.FAIL


def examine(settings: Settings) -> list[Check]:
    """Return all findings, the database's first. Settings must name database and Redis."""
    return [*_database(settings), *_redis(settings), _vendor(settings), _lease(settings)]


def _database(settings: Settings) -> Iterator[Check]:
    engine = open_engine(str(settings.database_url), connections=1)
    try:
        with engine.connect() as connection:
            yield _server(connection)
            yield _durability(connection)
            migrated = _migrated(connection)
            yield migrated
            yield _clock(connection)
            if not migrated.is_broken:
                yield from _life(connection, settings)
    except DBAPIError as error:
        yield Check("database", Verdict.FAIL, explain(error), "set DATABASE_URL, or start PostgreSQL")
    finally:
        engine.dispose()


def _server(connection: Connection) -> Check:
    version = connection.scalar(text("SHOW server_version")) or ""
    found = f"PostgreSQL {version}"
    if int(version.split(".")[0]) < OLDEST_POSTGRES:
        return Check("database", Verdict.FAIL, found, f"use PostgreSQL {OLDEST_POSTGRES} or newer")
    return Check("database", Verdict.OK, found)


def _durability(connection: Connection) -> Check:
    risky = [name for name in KEEPS if connection.scalar(text(f"SHOW {name}")) == "off"]
    if risky:
        found = f"{' and '.join(risky)} off: after a power cut, what was confirmed may be gone"
        return Check("durability", Verdict.WARN, found, "set them to `on`: the row is the truth")
    return Check("durability", Verdict.OK, "what is confirmed is kept")


def _migrated(connection: Connection) -> Check:
    at = MigrationContext.configure(connection).get_current_revision()
    newest = ScriptDirectory.from_config(migrations.config("")).get_current_head()
    if at == newest:
        return Check("tables", Verdict.OK, f"at revision {at}")
    found = f"at revision {at}, not {newest}" if at else "there are none yet"
    return Check("tables", Verdict.FAIL, found, "run `mailrun migrate`")


def _clock(connection: Connection) -> Check:
    before = machine_clock()
    theirs: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    after = machine_clock()
    skew = theirs - (before + (after - before) / 2)
    found = f"{skew.total_seconds():+.3f} s from the database's"
    if abs(skew) > SKEW_TOO_FAR:
        return Check(
            "clock",
            Verdict.FAIL,
            found,
            "set this machine's clock: receivers refuse the signatures of its webhooks",
        )
    if abs(skew) > SKEW_WORTH_SAYING:
        return Check(
            "clock",
            Verdict.WARN,
            found,
            "let NTP set this machine's clock; leases and due times are corrected for it",
        )
    return Check("clock", Verdict.OK, found)


def _life(connection: Connection, settings: Settings) -> Iterator[Check]:
    now = connection.execute(select(func.clock_timestamp())).scalar_one()
    start = "start `mailrun up`, or the beat and worker services"
    tick = latest_tick(connection)
    silence = max(timedelta(seconds=5 * settings.tick_seconds), timedelta(seconds=10))
    if tick is None or now - tick > silence:
        seen = "never seen" if tick is None else f"silent for {_seconds(now - tick)}"
        yield Check("beat", Verdict.FAIL, seen, start)
    else:
        yield Check("beat", Verdict.OK, f"looked for due mailings {_seconds(now - tick)} ago")
    alive = workers_alive(connection)
    found = f"{alive} alive"
    yield Check("workers", Verdict.OK if alive else Verdict.FAIL, found, "" if alive else start)
    halted = halt(connection)
    if halted.paused_at:
        found = f"everything is paused since {when(halted.paused_at)}"
        yield Check("pause", Verdict.WARN, found, "run `mailrun resume`")
    if halted.disarmed_why:
        yield Check("arming", Verdict.FAIL, f"nothing is sent: {halted.disarmed_why}", "run `mailrun arm`")
    if halted.doubted_at:
        found = "nothing is sent yet: Redis was new, and this may be a copy of the installation"
        yield Check("arming", Verdict.WARN, found, "nothing to do: LettrLabs' orders are looked at")
    if settings.owns_account:
        yield _account(connection)
    yield _people(connection)
    yield _webhooks(connection)


def _account(connection: Connection) -> Check:
    why = shared_why(connection)
    if why is None:
        return Check("account", Verdict.OK, "nothing contradicts that it is this installation's alone")
    advice = "set LETTRLABS_EXCLUSIVE=false; if only this installation makes orders, run `mailrun arm`"
    return Check("account", Verdict.FAIL, f"it is shared: {why}", advice)


def _webhooks(connection: Connection) -> Check:
    found = [f"{number} is disabled: {why}" for number, why in disabled(connection)]
    if found:
        advice = "mend its receiver, then `mailrun webhook enable`: what it missed is sent"
        return Check("webhooks", Verdict.WARN, "; ".join(found), advice)
    return Check("webhooks", Verdict.OK, "none is disabled")


def _people(connection: Connection) -> Check:
    needed = people_needed(connection)
    approval, attention = needed.get(State.APPROVAL, 0), needed.get(State.ATTENTION, 0)
    found = f"{approval} waiting for approval, {attention} needing attention"
    if attention:
        return Check("people", Verdict.WARN, found, "see `mailrun attention list`")
    return Check("people", Verdict.OK, found)


def _redis(settings: Settings) -> Iterator[Check]:
    try:
        with _client(str(settings.redis_url)) as client:
            version = str(client.info("server")["redis_version"])
            old = tuple(map(int, version.split(".")[:2])) < OLDEST_REDIS
            advice = "use Redis 6.2 or newer, or Valkey" if old else ""
            yield Check("redis", Verdict.FAIL if old else Verdict.OK, f"speaks Redis {version}", advice)
            yield from _redis_manners(client)
    except (RedisError, OSError, ValueError) as error:
        advice = "set REDIS_URL, or start Redis; mail waits in the database meanwhile"
        yield Check("redis", Verdict.FAIL, f"away: {type(error).__name__}", advice)


def _redis_manners(client: Redis) -> Iterator[Check]:
    wanted = {"maxmemory-policy": "noeviction", "appendonly": "yes"}
    with suppress(RedisError):  # a hosted Redis may keep its settings to itself
        for name, right in wanted.items():
            found = client.config_get(name).get(name)
            if found != right:
                yield Check("redis", Verdict.WARN, f"{name} is {found}", f"set {name} {right}")


def _client(url: str) -> Redis:
    # Celery's spelling of a Unix socket, and the client's own.
    url = url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    at_once = Retry(NoBackoff(), 0)
    return Redis.from_url(
        url, decode_responses=True, socket_timeout=5, socket_connect_timeout=5, retry=at_once
    )


def _vendor(settings: Settings) -> Check:
    if not knows_vendor(settings):
        return Check("vendor", Verdict.FAIL, "the sandbox does not run", "start `mailrun up`")
    with quick_vendor(settings) as vendor:
        try:
            vendor.me()
        except Refused as refused:
            found, _, advice = refusal(refused).partition(": ")
            return Check("vendor", Verdict.FAIL, found, advice)
        except Unavailable as trouble:
            advice = "nothing to do if it comes back: workers keep trying"
            return Check("vendor", Verdict.FAIL, f"cannot be reached: {trouble.why}", advice)
    return Check("vendor", Verdict.OK, f"{settings.vendor.upper()} knows the key")


def _lease(settings: Settings) -> Check:
    longest, lease = Timeouts().worst(), settings.lease_seconds
    found = f"{lease:g} s, the longest call takes {longest:g} s"
    if lease <= longest:
        return Check("lease", Verdict.FAIL, found, f"set MAILRUN_LEASE_SECONDS above {longest:g}")
    return Check("lease", Verdict.OK, found)


def _seconds(span: timedelta) -> str:
    return f"{max(span.total_seconds(), 0):.0f} s"
