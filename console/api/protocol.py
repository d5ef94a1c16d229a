"""One HTTP/1.1 connection, with the bounds on a request's head that uvicorn leaves to a proxy.

The sandbox has a protocol of its own with the same bounds, because it shares no code with the product.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from console.api.problems import Problem

MAX_HEAD_BYTES: Final = 65_536
"""Bytes of request line and headers together; most proxies allow 8 to 64 KiB."""
HEAD_SECONDS: Final = 10.0
"""Seconds from the connection, or from the first byte of a later request, to the end of the head."""
MAX_CONNECTIONS: Final = 500
"""Connections at once. Each may hold 64 KiB of body that no handler has read yet."""

# A refused client may still be sending: it reads the answer before the connection is closed.
_LINGER_SECONDS: Final = 2.0
_REPORT_SECONDS: Final = 60.0

log = logging.getLogger(__name__)

_HEAD_TOO_LARGE: Final = Problem(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head_too_large",
    f"The request line and headers have at most {MAX_HEAD_BYTES:,} bytes.",
)
_HEAD_TOO_SLOW: Final = Problem(
    HTTPStatus.REQUEST_TIMEOUT, "head_too_slow", f"The headers did not arrive within {HEAD_SECONDS:g} s."
)
_NOT_HTTP: Final = Problem(HTTPStatus.BAD_REQUEST, "not_http", "The request is not valid HTTP/1.1.")
_BUSY: Final = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Too many connections: repeat the request later."
)


class MalformedRequests:
    """Counts requests that are not HTTP, and logs the count at most once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._count = 0
        self._reported_at = -_REPORT_SECONDS

    def count(self) -> None:
        """Count one request; log all that came since the last report when it is due."""
        self._count += 1
        if self._clock() - self._reported_at >= _REPORT_SECONDS:
            log.warning("http_malformed count=%d", self._count)
            self._count, self._reported_at = 0, self._clock()


MALFORMED: Final = MalformedRequests()


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounded heads, bounded connections and problem documents for broken HTTP."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own arguments
        super().__init__(*args, **kwargs)
        self._unparsed_bytes = 0
        self._parsed_bytes = 0
        self._reads_head = False
        self._unread_body = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first head its time."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock of the head."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless the head grows beyond its bound."""
        if self.parser is None or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # RFC 9110, 7.8: a server may ignore Upgrade.
            return
        except httptools.HttpParserError:
            MALFORMED.count()
            self._refuse(_HEAD_TOO_LARGE if self._parsed_bytes > MAX_HEAD_BYTES else _NOT_HTTP)
            return
        if self._reads_head:
            # The parser joins the pieces of an unfinished header: without a bound its work is quadratic.
            self._unparsed_bytes += len(data)
            if self._unparsed_bytes > MAX_HEAD_BYTES:
                self._refuse(_HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        super().on_message_begin()
        self._reads_head, self._unparsed_bytes, self._parsed_bytes = True, 0, 0
        if self._head_timer is None:
            self._await_head()

    def on_url(self, url: bytes) -> None:
        """Count the request line."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._count_head(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request to the application, or refuse it when there are too many connections."""
        self._reads_head = False
        self._stop_head_timer()
        self.app = _answer_busy if len(self.connections) > MAX_CONNECTIONS else self.config.loaded_app
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Close a connection whose client still sends a body that no handler wants."""
        self._unread_body = self.cycle is not None and self.cycle.more_body
        super().on_response_complete()
        if self._unread_body:
            self.loop.call_later(_LINGER_SECONDS, self._close_if_unread)

    def on_message_complete(self) -> None:
        """Note that the body has ended, whether or not a handler read it."""
        self._unread_body = False
        super().on_message_complete()

    def _close_if_unread(self) -> None:
        if self._unread_body and not self.transport.is_closing():
            self.transport.close()

    def _count_head(self, size: int) -> None:
        self._parsed_bytes += size
        if self._parsed_bytes > MAX_HEAD_BYTES:
            raise ValueError("the head is too large")

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._end_slow_head)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_slow_head(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._reads_head:
            self._refuse(_HEAD_TOO_SLOW)
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        self._stop_head_timer()
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_as_bytes(problem))
        self.transport.close()


def _as_bytes(problem: Problem) -> bytes:
    status = HTTPStatus(problem.status)
    body = json.dumps(problem.document()).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


async def _answer_busy(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    await _BUSY.response()(scope, receive, send)
