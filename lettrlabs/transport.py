"""One HTTP exchange: a whole reply, or why there is none and whether anything can have been sent."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from ipaddress import ip_address
from logging import INFO, getLogger
from time import monotonic
from urllib.request import getproxies, proxy_bypass

import httpx
from pydantic import SecretStr

from lettrlabs.connections import Connections
from lettrlabs.deadline import call_deadline
from lettrlabs.timeouts import Timeouts

# httpcore's debug lines repeat a reply's headers, in which a vendor or a proxy may echo the key.
getLogger("httpcore").setLevel(INFO)

MAX_REPLY_BYTES = 64 * 2**20
"""No list or proof comes near it, and a mad answer cannot exhaust the worker's memory."""

LONGEST_RETRY_AFTER = 3600.0
"""Seconds; a longer wish is taken for this, so that one mad header cannot silence every worker for a year."""

_REQUEST_ID = re.compile(r"[\w.:|/+=-]{1,128}", re.ASCII)

# httpx's exceptions that arise before the first byte of the request; all others may come after it arrived.
_NOT_SENT: dict[type[httpx.TransportError], str] = {
    httpx.ConnectTimeout: "no connection in time",
    httpx.ConnectError: "no connection",
    httpx.PoolTimeout: "no connection of the pool became free in time",
    httpx.ProxyError: "the proxy gave no connection",
}
_MAYBE_SENT: dict[type[httpx.TransportError], str] = {
    httpx.ReadTimeout: "no answer in time",
    httpx.WriteTimeout: "the request was not taken in time",
    httpx.ReadError: "the connection broke before the answer ended",
    httpx.RemoteProtocolError: "the answer broke off or was not HTTP",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it came; `retry_after` is in seconds."""

    status: int
    body: bytes = field(repr=False)
    request_id: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No whole reply; `sent` is False only where certainly no byte of the request went out."""

    sent: bool
    why: str
    status: int | None = None
    request_id: str | None = None


class Transport:
    """The pool of connections to one vendor. Thread-safe."""

    def __init__(self, base_url: str, key: SecretStr, timeouts: Timeouts, connections: int) -> None:
        """Open nothing yet.

        Raises ValueError for a base URL that is not http(s) or a key that no header can carry.
        """
        base = httpx.URL(base_url)
        if base.scheme not in ("http", "https") or not base.host:
            raise ValueError("the base URL must be http://… or https://… with a host")
        if not re.fullmatch(r"[!-~]+", key.get_secret_value()):
            raise ValueError("the API key must be printable ASCII without spaces")
        self._base = str(base).rstrip("/")
        self._headers = [
            (b"host", base.netloc),
            (b"x-api-key", key.get_secret_value().encode()),
            (b"accept", b"application/json"),
            # Lists are small beside the cost of unpacking, and an unpacked size is harder to bound.
            (b"accept-encoding", b"identity"),
            (b"user-agent", b"mailrun"),
        ]
        self._extensions = {
            "timeout": {"connect": timeouts.connect, "read": timeouts.read, "write": timeouts.write}
        }
        self._pool = timeouts.pool
        self._connections = Connections(_proxy_for(base), connections)

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

    def exchange(self, method: str, target: str, body: bytes | None, due: float) -> Reply | NoResponse:
        """Send one request and read its whole reply until `due` on the monotonic clock; nothing is sent twice."""
        request = httpx.Request(
            method,
            _url(self._base + target),
            headers=self._headers if body is None else [*self._headers, *_described(body)],
            stream=httpx.ByteStream(body or b""),
            extensions=self._extensions,
        )
        try:
            with (
                self._connections.one(min(self._pool, due - monotonic())) as connection,
                call_deadline(due, body_follows=bool(body)),
            ):
                return _whole(connection.handle_request(request))
        except httpx.TransportError as error:
            return _silence(error)


@lru_cache(maxsize=1024)
def _url(text: str) -> httpx.URL:
    # Taking a URL apart costs as much as all else in making a request, and a mailing asks for each of its own again.
    return httpx.URL(text)


def _whole(response: httpx.Response) -> Reply | NoResponse:
    request_id = _request_id(response)
    status = response.status_code
    try:
        body = _bounded(response.iter_raw())
    except httpx.TransportError as error:
        # A refusal is told by its status alone; a lost body only costs the vendor's words.
        if 400 <= status < 500:  # noqa: PLR2004 - HTTP's class of refusals
            return Reply(status, b"", request_id, _retry_after(response))
        return NoResponse(sent=True, why=_silence(error).why, status=status, request_id=request_id)
    finally:
        response.close()
    if body is None:
        return NoResponse(sent=True, why="the answer is too large", status=status, request_id=request_id)
    return Reply(status, body, request_id, _retry_after(response))


def _request_id(response: httpx.Response) -> str | None:
    text: str = response.headers.get("x-request-id", "")
    return text if _REQUEST_ID.fullmatch(text) else None


def _bounded(chunks: Iterable[bytes]) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            return None
        parts.append(chunk)
    return b"".join(parts)


def _silence(error: httpx.TransportError) -> NoResponse:
    kind = type(error)
    if kind in _NOT_SENT:
        return NoResponse(sent=False, why=_NOT_SENT[kind])
    return NoResponse(sent=True, why=_MAYBE_SENT.get(kind, "the exchange failed"))


def _retry_after(response: httpx.Response) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3), seconds or a date, as seconds from now."""
    text = response.headers.get("retry-after")
    if text is None:
        return None
    try:
        seconds = float(text) if text.strip().isdigit() else _until(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _until(moment: datetime) -> float:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()


def _described(body: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]


def _proxy_for(base: httpx.URL) -> str | None:
    """Give the environment's proxy for this vendor; none for this machine, where the sandbox lives.

    Raises ValueError for a proxy reached by TLS, over which our sockets cannot keep the deadline.
    """
    if _is_loopback(base.host) or proxy_bypass(base.host):
        return None
    proxy = getproxies().get(base.scheme)
    if proxy and not proxy.startswith("http://"):
        raise ValueError(f"the {base.scheme} proxy of the environment must be an http:// one")
    return proxy


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
