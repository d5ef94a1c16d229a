"""Sockets that keep to one deadline for the whole call.

httpx bounds each read and each write; a server that drips a byte at a time, even within its headers, would hold a
call for as long as it likes. Here no socket operation outlasts the deadline of the thread that makes the call.
"""

import select
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import httpcore


class _Current(threading.local):
    due: float = float("inf")
    body_follows: bool = False


# httpcore runs a synchronous request from first to last byte in the thread that asked for it.
_call = _Current()


@contextmanager
def call_deadline(due: float, *, body_follows: bool) -> Iterator[None]:
    """Hold this thread to the moment `due` of the monotonic clock.

    `body_follows` makes the head and the body of its request one send: it halves the packets, and each send wakes a
    process on both sides.
    """
    _call.due, _call.body_follows = due, body_follows
    try:
        yield
    finally:
        _call.due, _call.body_follows = float("inf"), False


def _seconds(timeout: float | None, late: type[Exception]) -> float:
    left = _call.due - monotonic()
    if left <= 0:
        raise late("the deadline of the whole call has passed")
    return left if timeout is None else min(timeout, left)


class DeadlineBackend(httpcore.NetworkBackend):
    """TCP connections made and used within the deadline."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers, all of them within `timeout` seconds."""
        until = monotonic() + _seconds(timeout, httpcore.ConnectTimeout)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the host name could not be resolved") from error
        failure: Exception = httpcore.ConnectTimeout("no address answered in time")
        for *_, address in found:
            left = min(until, _call.due) - monotonic()
            if left <= 0:
                break
            try:
                return PunctualStream(socket.create_connection((str(address[0]), port), left))
            except TimeoutError:
                failure = httpcore.ConnectTimeout("no answer in time")
            except OSError:
                failure = httpcore.ConnectError("connection refused or unreachable")
        raise failure


class PunctualStream(httpcore.NetworkStream):
    """One connection, plain or TLS, used within the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._head = b""
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has arrived, b"" at the end."""
        if self._head:
            # What was taken for the head of a request was a proxy's CONNECT, which has no body.
            self.write(b"", timeout)
        try:
            self._socket.settimeout(_seconds(timeout, httpcore.ReadTimeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout("no answer in time") from error
        except OSError as error:
            raise httpcore.ReadError("the connection broke") from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it, a head with the body that follows."""
        if _call.body_follows:
            self._head, _call.body_follows = buffer, False
            return
        rest, self._head = memoryview(self._head + buffer), b""
        try:
            while rest:
                self._socket.settimeout(_seconds(timeout, httpcore.WriteTimeout))
                rest = rest[self._socket.send(rest) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout("not taken in time") from error
        except OSError as error:
            raise httpcore.WriteError("the connection broke") from error

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Return this connection with TLS on it."""
        try:
            self._socket.settimeout(_seconds(timeout, httpcore.ConnectTimeout))
            return PunctualStream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname))
        except TimeoutError as error:
            self.close()
            raise httpcore.ConnectTimeout("TLS was not agreed in time") from error
        except OSError as error:
            self.close()
            raise httpcore.ConnectError("TLS could not be agreed") from error
        except httpcore.ConnectTimeout:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        """Answer what httpcore asks of a stream: the protocol agreed in TLS, and whether an idle one was closed."""
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        if info == "is_readable":
            return self._is_readable()
        return None

    def _is_readable(self) -> bool:
        number = self._socket.fileno()
        if number < 0:
            return True
        poll = select.poll()
        poll.register(number, select.POLLIN)
        return bool(poll.poll(0))
