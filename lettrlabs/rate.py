"""One rate limit for all workers."""


class RateLimit:
    """At most `per_second` calls a second by all who share the Redis and the prefix; None is unlimited."""

    def __init__(
        self, redis_url: str | None, *, per_second: float | None = None, prefix: str = "mailrun:"
    ) -> None:
        raise NotImplementedError
