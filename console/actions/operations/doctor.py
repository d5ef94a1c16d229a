"""The doctor: is everything there that mail needs, and if not, what to do about it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

import migrations
from console.explanations import explain, refusal
from console.queries.attention import list_waiting
from console.queries.findings import Check, Verdict
from console.queries.health import halt, latest_tick, shared_why, workers_alive
from console.queries.pending import Kind, Pending, count_pending, list_pending
from console.queries.redis_check import check_redis
from console.queries.webhooks import disabled
from console.session import knows_vendor
from console.vendor_check import quick_vendor
from console.views.formatting import when
from lettrlabs import Refused, Timeouts, Unavailable
from worker.clock import machine_clock, system_clock
from worker.context import open_engine
from worker.settings import Settings

# Leases and due times go by the database's clock. A signature's time stamp goes by the machine's, and receivers
# accept it for five minutes.
SKEW_WORTH_SAYING: Final = timedelta(seconds=2)
SKEW_TOO_FAR: Final = timedelta(minutes=4)
KEEPS: Final = ("fsync", "synchronous_commit")
MOST_PENDING: Final = 1000
MOST_WAITING: Final = 100
_UNUSABLE_TABLES: Final = text("""
    SELECT relname FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname <> 'alembic_version'
       AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
     ORDER BY relname LIMIT 3
""")


def examine(settings: Settings) -> list[Check]:
    """Return all findings, the database's first. Settings must name database and Redis."""
    redis = list(check_redis(settings))
    return [*_database(settings, redis[0]), *redis, _vendor(settings), _lease(settings)]


def _database(settings: Settings, redis: Check) -> Iterator[Check]:
    engine = open_engine(str(settings.database_url), connections=1)
    try:
        with engine.connect() as connection:
            migrated = _migrated(connection)
            yield _server(connection, settings, migrated)
            yield from _role(connection)
            yield _durability(connection)
            yield migrated
            yield _clock(connection)
            if not migrated.is_broken:
                yield from _life(connection, settings, redis)
    except DBAPIError as error:
        yield Check("database", Verdict.FAIL, explain(error), "set DATABASE_URL, or start PostgreSQL")
    finally:
        engine.dispose()


def _server(connection: Connection, settings: Settings, migrated: Check) -> Check:
    version = connection.scalar(text("SHOW server_version")) or ""
    # A role that works with tables of another's making need not be able to make any.
    makes_tables = migrated.is_broken and settings.migration_database_url in {None, settings.database_url}
    obstacle = migrations.find_obstacle(connection, to_migrate=makes_tables)
    if obstacle:
        found, _, advice = obstacle.partition(": ")
        return Check("database", Verdict.FAIL, found, advice)
    return Check("database", Verdict.OK, f"PostgreSQL {version}")


def _role(connection: Connection) -> Iterator[Check]:
    """Yield a warning for a role that may do more than this application needs, to every database of the server."""
    name, is_superuser = connection.execute(
        text("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user")
    ).one()
    if is_superuser:
        advice = (
            "name a role of its own in DATABASE_URL, and the owner of the tables in MIGRATION_DATABASE_URL"
        )
        yield Check("role", Verdict.WARN, f'"{name}" is a superuser', advice)
    missing = list(connection.scalars(_UNUSABLE_TABLES))
    if missing:
        found = f'"{name}" may not read and write {", ".join(missing)}'
        advice = "run `mailrun migrate` with MIGRATION_DATABASE_URL set to the owner of the tables"
        yield Check("role", Verdict.FAIL, found, advice)


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


def _life(connection: Connection, settings: Settings, redis: Check) -> Iterator[Check]:
    now = connection.execute(select(func.clock_timestamp())).scalar_one()
    # Without Redis neither can be seen at work, running or not.
    start = "start `mailrun up`, or the beat and worker services"
    if redis.is_broken:
        start = f"mend redis first, see below; then {start}"
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
    yield _waiting(connection, now)
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


def pending(settings: Settings) -> list[Pending]:
    """Return what waits for a person, nothing if the database cannot tell."""
    engine = open_engine(str(settings.database_url), connections=1)
    try:
        with engine.connect() as connection:
            return list_pending(connection, system_clock(), MOST_PENDING)
    except DBAPIError:
        return []  # the checks say why
    finally:
        engine.dispose()


def _people(connection: Connection) -> Check:
    counted = count_pending(list_pending(connection, system_clock(), MOST_PENDING))
    found = (
        f"{counted[Kind.APPROVAL]} waiting for approval, {counted[Kind.ATTENTION]} needing attention, "
        f"{counted[Kind.FAILED]} failed"
    )
    if counted[Kind.ATTENTION] or counted[Kind.FAILED]:
        return Check("people", Verdict.WARN, found, "see `mailrun attention list`")
    return Check("people", Verdict.OK, found)


def _waiting(connection: Connection, now: datetime) -> Check:
    found = list_waiting(connection, now, MOST_WAITING)
    if not found:
        return Check("waiting", Verdict.OK, "no mailing waits long for LettrLabs")
    first = found[0]
    count = f"{len(found)} or more" if len(found) == MOST_WAITING else str(len(found))
    told = f"{count} waiting long for LettrLabs; mailing {first.mailing_id} since {when(first.since)}: {first.reason}"
    return Check("waiting", Verdict.WARN, told, "see `mailrun attention list`")


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
