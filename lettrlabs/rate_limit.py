"""One rate limit, and one quiet after a 429, for all workers: kept in Redis with the `limits` library."""

from fractions import Fraction
from logging import getLogger
from threading import Lock
from time import monotonic, sleep, time
from urllib.parse import parse_qs, urlsplit

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = getLogger(__name__)

# A call must not wait long for its own brake: past this many seconds Redis counts as away.
_REDIS_TIMEOUT = 1.0
# While Redis is away it is asked again this often; in between each process keeps the limit alone.
_AWAY = 5.0
# A process keeps so few connections open for all its threads: a question takes a fraction of a millisecond, and one
# connection for each thread that ever asked at the same moment would stay open for good.
_CONNECTIONS = 4
# Seconds to wait for one of them. Behind a Redis that stands still longer, a process keeps the limit alone meanwhile.
_PATIENCE = 0.5
# Without a rate, Redis is asked only for a quiet, and this often: within these seconds all have heard of a 429.
_LISTEN = 0.25
# At a high rate each process takes so many seconds' worth of slots at once: asking Redis before every call costs as
# much as half the call. What it has not used when it next listens for a quiet is lost to all.
_BLOCK = 0.02
# The least pause before asking for a slot again, so that clocks that disagree make no busy loop.
_LEAST_PAUSE = 0.005
# `limits` counts in whole seconds: a rate with a fraction is spread over up to this many.
_LONGEST_WINDOW = 60


class RateLimit:
    """At most `per_second` calls a second by all who share the Redis and the prefix; None is unlimited.

    A quiet (`hush`) holds for all of them as well. Without Redis, or while it is away, each process keeps both alone:
    a call never fails for that. Thread-safe.
    """

    def __init__(
        self, redis_url: str | None, *, per_second: float | None = None, prefix: str = "mailrun:"
    ) -> None:
        """Connect to nothing yet.

        `redis_url` may also be Celery's form of a Unix socket, redis+socket:///path?virtual_host=db. Raises
        ValueError for a rate below one call a minute.
        """
        self._item = None if per_second is None else _item(per_second)
        self._shared = _Shared(redis_url, prefix) if redis_url else None
        self._alone: MovingWindowRateLimiter | None = None
        self._quiet_until = 0.0
        self._listen_at = 0.0
        self._block_size = 1 if per_second is None else max(int(per_second * _BLOCK), 1)
        self._block_left = 0
        self._block_until = 0.0
        self._away_until: float | None = None
        self._lock = Lock()

    def wait(self, within: float) -> float | None:
        """Take a slot, waiting up to `within` seconds.

        Returns None with the slot taken, else the seconds after which asking again makes sense.
        """
        give_up = monotonic() + within
        while (pause := self._ask()) > 0:
            if pause > give_up - monotonic():
                return pause
            sleep(pause)
        return None

    def hush(self, seconds: float) -> None:
        """Let nobody take a slot for so long; a quiet that lasts longer stays as it is."""
        log.warning("lettrlabs.rate_limit.quiet All calls to the vendor rest for %.1f s", seconds)
        self._heard_quiet(seconds)
        if self._shared and self._may_ask():
            try:
                self._heard_quiet(self._shared.hush(seconds))
            except (RedisError, OSError) as error:
                self._lost(error)

    def _ask(self) -> float:
        quiet = self._quiet_until - monotonic()
        if quiet > 0:
            return quiet
        if self._shared and self._may_ask():
            try:
                pause = self._ask_shared(self._shared)
            except (RedisError, OSError) as error:
                self._lost(error)
            else:
                self._found()
                return pause
        return self._ask_alone()

    def _ask_shared(self, shared: "_Shared") -> float:
        if self._item is None:
            if monotonic() < self._listen_at:
                return 0.0
            self._listen_at = monotonic() + _LISTEN
            return self._heard_quiet(shared.quiet())
        if self._take_from_block() or self._take_block(shared, self._item) or shared.limiter.hit(self._item):
            return 0.0
        return max(self._heard_quiet(shared.quiet()), _until_free(shared.limiter, self._item))

    def _take_from_block(self) -> bool:
        with self._lock:
            if self._block_left == 0 or monotonic() >= self._block_until:
                return False
            self._block_left -= 1
            return True

    def _take_block(self, shared: "_Shared", item: RateLimitItem) -> bool:
        if self._block_size == 1 or not shared.limiter.hit(item, cost=self._block_size):
            return False
        with self._lock:
            self._block_left, self._block_until = self._block_size - 1, monotonic() + _LISTEN
        return True

    def _ask_alone(self) -> float:
        if self._item is None:
            return 0.0
        with self._lock:
            # Built only where needed: limits' memory storage keeps a timer thread.
            self._alone = self._alone or MovingWindowRateLimiter(MemoryStorage())
        return 0.0 if self._alone.hit(self._item) else _until_free(self._alone, self._item)

    def _heard_quiet(self, seconds: float) -> float:
        """Remember a quiet, so that nobody here asks before it ends."""
        self._quiet_until = max(self._quiet_until, monotonic() + seconds)
        return seconds

    def _may_ask(self) -> bool:
        return self._away_until is None or monotonic() >= self._away_until

    def _lost(self, error: Exception) -> None:
        with self._lock:
            known, self._away_until = self._away_until, monotonic() + _AWAY
        if known is None:
            # The kind only: a message may name the server, with its password.
            log.warning(
                "lettrlabs.rate_limit.redis_away %s; each process keeps the rate limit alone",
                type(error).__name__,
            )

    def _found(self) -> None:
        if self._away_until is None:
            return
        with self._lock:
            known, self._away_until = self._away_until, None
        if known is not None:
            log.warning("lettrlabs.rate_limit.redis_back The rate limit is shared again")


class _QuietStorage(RedisStorage):
    """limits' storage whose moving window gives no slot during a quiet: one round trip asks for both."""

    # A name of its own in the library's registry, or it would take the place of the library's.
    STORAGE_SCHEME = ["mailrun+redis"]  # noqa: RUF012 - the library's form

    SCRIPT_ACQUIRE_MOVING_WINDOW = (
        b"if redis.call('exists', KEYS[2]) == 1 then return false end\n"
        + RedisStorage.SCRIPT_ACQUIRE_MOVING_WINDOW
    )

    @property
    def quiet_key(self) -> str:
        return self.prefixed_key("quiet")

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        keys = [self.prefixed_key(key), self.quiet_key]
        return bool(self.lua_acquire_moving_window(keys, [time(), limit, expiry, amount]))


class _Shared:
    """The limit and the quiet as Redis keeps them. Every method may raise RedisError or OSError."""

    def __init__(self, url: str, prefix: str) -> None:
        pool = BlockingConnectionPool.from_url(
            _redis_url(url),
            max_connections=_CONNECTIONS,
            timeout=_PATIENCE,
            socket_timeout=_REDIS_TIMEOUT,
            socket_connect_timeout=_REDIS_TIMEOUT,
            # One more try at once, for a connection that a restart has left stale; no pauses.
            retry=Retry(NoBackoff(), 1),
        )
        self._redis = Redis(connection_pool=pool)
        self._storage = _QuietStorage(url, connection_pool=pool, key_prefix=f"{prefix}lettrlabs")
        self.limiter = MovingWindowRateLimiter(self._storage)

    def quiet(self) -> float:
        """Give the seconds of quiet that are left."""
        return max(self._redis.pttl(self._storage.quiet_key), 0) / 1000

    def hush(self, seconds: float) -> float:
        """Make it quiet for at least so long, and give the seconds that it will be."""
        left = self.quiet()
        if seconds > left:
            self._redis.set(self._storage.quiet_key, 1, px=max(round(seconds * 1000), 1))
        return max(seconds, left)


def _until_free(limiter: MovingWindowRateLimiter, item: RateLimitItem) -> float:
    stats = limiter.get_window_stats(item)
    return max(stats.reset_time - time() if stats.remaining <= 0 else 0.0, _LEAST_PAUSE)


def _item(per_second: float) -> RateLimitItem:
    rate = Fraction(per_second).limit_denominator(_LONGEST_WINDOW)
    if rate <= 0:
        raise ValueError("the rate must be at least one call a minute")
    return RateLimitItemPerSecond(rate.numerator, rate.denominator)


def _redis_url(url: str) -> str:
    """Turn Celery's form of a Unix socket (kombu's redis+socket) into redis-py's."""
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    database = parse_qs(parts.query).get("virtual_host", ["0"])[0]
    # Put together by hand: geturl() leaves the slashes out where there is no host.
    return f"unix://{parts.path}?db={database}"
