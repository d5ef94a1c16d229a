"""The connections to one vendor: each is lent to one call at a time, and the warmest first."""

import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

import httpx

from lettrlabs.deadline import DeadlineBackend

# Idle connections are closed before common servers close them (uvicorn: 5 s, most proxies later): a write sent into a
# connection that is just being closed ends as unknown and must be found out.
_KEEPALIVE = 4.0


class Connections:
    """At most `number` connections, made as they are needed. Thread-safe.

    Each is an httpx transport of its own: a pool shared by threads looks over all its connections, under a lock,
    twice in every call, which costs sixteen threads half as much as the call itself.
    """

    def __init__(self, proxy: str | None, number: int) -> None:
        self._proxy = proxy
        self._idle: deque[httpx.HTTPTransport] = deque()
        self._places = BoundedSemaphore(number)

    @contextmanager
    def one(self, within: float) -> Iterator[httpx.HTTPTransport]:
        """Lend a connection.

        Raises httpx.PoolTimeout if none is free within so many seconds.
        """
        if not self._places.acquire(timeout=max(within, 0.0)):
            raise httpx.PoolTimeout("no connection became free in time")
        try:
            try:
                transport = self._idle.pop()
            except IndexError:
                transport = _PunctualTransport(self._proxy)
            try:
                yield transport
            finally:
                self._idle.append(transport)
        finally:
            self._places.release()

    def close(self) -> None:
        """Close those that are not lent."""
        while self._idle:
            self._idle.pop().close()


class _PunctualTransport(httpx.HTTPTransport):
    """httpx's own transport for one connection, which never retries, over sockets that keep the deadline.

    It is driven without an `httpx.Client` around it: cookies, redirects and auth flows are not wanted here, and they
    are a fifth of a call's cost.
    """

    def __init__(self, proxy: str | None) -> None:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEPALIVE)
        super().__init__(verify=_trusted(), proxy=proxy, limits=limits, retries=0)
        # httpcore takes a network backend in its pool's constructor; httpx offers no way to hand one through.
        self._pool._network_backend = DeadlineBackend()  # noqa: SLF001 - see above; the drip tests hold it


@cache
def _trusted() -> ssl.SSLContext:
    # Reading the certificate authorities takes longer than a hundred calls.
    return httpx.create_ssl_context()
