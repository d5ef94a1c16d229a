"""What the doctor finds about Redis: whether a message can be written to it, now and when work piles up."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from console.queries.findings import Check, Verdict
from worker.settings import Settings

OLDEST_REDIS: Final = (7, 0)
PROBE_SECONDS: Final = 10
# Redis refuses writes at its limit; from here on it is close.
NEARLY_FULL: Final = 0.9
MEBIBYTE: Final = 2**20
_MEANWHILE: Final = "mail waits in the database meanwhile"


def check_redis(settings: Settings) -> Iterator[Check]:
    """Yield what was found; the first finding tells whether Redis takes messages."""
    try:
        with _client(str(settings.redis_url)) as client:
            yield _service(client, settings.broker_prefix)
            yield from _memory(client)
            yield from _configuration(client)
    except AuthenticationError:
        yield Check("redis", Verdict.FAIL, "refuses the password", "set the one in REDIS_URL right")
    except (RedisError, OSError, ValueError) as error:
        advice = f"set REDIS_URL, or start Redis; {_MEANWHILE}"
        yield Check("redis", Verdict.FAIL, f"away: {type(error).__name__}", advice)


def _service(client: Redis, prefix: str) -> Check:
    facts = _facts(client, "server")
    version = str(facts.get("redis_version", "0.0"))
    found = f"speaks Redis {version}"
    if tuple(map(int, version.split(".")[:2])) < OLDEST_REDIS:
        return Check("redis", Verdict.FAIL, found, "use Redis 7.0 or newer, or Valkey")
    if _facts(client, "replication").get("role") != "master":
        return Check("redis", Verdict.FAIL, "is a replica", f"name its primary in REDIS_URL; {_MEANWHILE}")
    refusal = _refusal(client, prefix)
    return refusal or Check("redis", Verdict.OK, f"{found} and takes writes")


def _refusal(client: Redis, prefix: str) -> Check | None:
    """Return why Redis refuses a write, or None: an answer to PING or INFO does not tell."""
    try:
        client.set(f"{prefix}doctor", "1", ex=PROBE_SECONDS)
    except OutOfMemoryError:
        return Check("redis", Verdict.FAIL, f"is full: {_used(client)}", f"raise maxmemory; {_MEANWHILE}")
    except ReadOnlyError:
        return Check("redis", Verdict.FAIL, "is read-only", f"name its primary in REDIS_URL; {_MEANWHILE}")
    except BusyLoadingError:
        return Check("redis", Verdict.FAIL, "is reading its data from disk", f"wait; {_MEANWHILE}")
    except NoPermissionError:
        advice = f"let its user read and write keys that begin with {prefix}"
        return Check("redis", Verdict.FAIL, "does not let this user write", advice)
    except ResponseError as error:
        # Redis begins each refusal with a code, such as MISCONF for a disk that takes no more.
        code = str(error).partition(" ")[0]
        return Check(
            "redis", Verdict.FAIL, f"refuses writes ({code})", f"see its log and its disk; {_MEANWHILE}"
        )
    return None


def _memory(client: Redis) -> Iterator[Check]:
    facts = _facts(client, "memory")
    limit, used = int(facts.get("maxmemory", 0)), int(facts.get("used_memory", 0))
    if limit and NEARLY_FULL * limit < used < limit:
        yield Check("redis", Verdict.WARN, f"is nearly full: {_used(client)}", "raise maxmemory")


def _configuration(client: Redis) -> Iterator[Check]:
    wanted = {"maxmemory-policy": "noeviction", "appendonly": "yes"}
    with suppress(RedisError):  # a hosted Redis may keep its settings to itself
        for name, right in wanted.items():
            found = client.config_get(name).get(name)
            if found != right:
                yield Check("redis", Verdict.WARN, f"{name} is {found}", f"set {name} {right}")


def _used(client: Redis) -> str:
    facts = _facts(client, "memory")
    used, limit = int(facts.get("used_memory", 0)), int(facts.get("maxmemory", 0))
    return f"{used / MEBIBYTE:.1f} of {limit / MEBIBYTE:.1f} MiB"


def _facts(client: Redis, section: str) -> dict[str, Any]:
    found: dict[str, Any] = client.info(section)
    return found


def _client(url: str) -> Redis:
    # Celery's spelling of a Unix socket, and the client's own.
    url = url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    at_once = Retry(NoBackoff(), 0)
    return Redis.from_url(
        url, decode_responses=True, socket_timeout=5, socket_connect_timeout=5, retry=at_once
    )
