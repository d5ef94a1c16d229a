"""A vendor that does exactly what a test's script says, byte by byte, and clients that speak to it."""

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

import pytest
from pydantic import SecretStr

from lettrlabs import LettrLabs, RateLimit, Timeouts, calls

KEY = "LL-API-5up3r.s3cr3t-0123456789"

QUICK = Timeouts(connect=1, read=0.4, write=0.4, pool=0.3, slot=0.3, total=1.5)


@dataclass(frozen=True)
class Heard:
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Step = Callable[[socket.socket], None]
"""What to do with one request's connection. A step that closes it ends it."""


class ScriptedVendor:
    """Takes one step of the script for each request it hears, and drops the connection when none is left."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.heard: list[Heard] = []
        self._steps: deque[Step] = deque()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}/api"
        self._run(self._accept)

    def then(self, *steps: Step) -> None:
        self._steps.extend(steps)

    def says(self, status: int = 200, body: object = b"", **headers: str) -> Step:
        """Answer; a body that is not bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.sends(_head(status, len(raw), headers) + raw)

    def pays(self, payload: object) -> Step:
        """Answer 200 in the newer envelope."""
        return self.says(
            body={
                "payload": payload,
                "errors": [],
                "errorDetails": [],
                "warnings": [],
                "hasErrors": False,
                "hasWarnings": False,
                "somethingNew": {"unheard": "of"},
            }
        )

    def breaks_off(self, status: int = 200, body: bytes = b'{"payload":') -> Step:
        """Promise more than comes."""
        return self.sends(_head(status, len(body) + 100, {}) + body, close=True)

    def sends(self, raw: bytes, *, close: bool = False) -> Step:
        def step(connection: socket.socket) -> None:
            connection.sendall(raw)
            if close:
                connection.close()

        return step

    def closes(self) -> Step:
        return lambda connection: connection.close()

    def resets(self) -> Step:
        def step(connection: socket.socket) -> None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        return step

    def is_silent(self) -> Step:
        return lambda _connection: self._pause(10)

    def drips(self, raw: bytes, every: float) -> Step:
        """Send one byte at a time, in good time for any timeout of one read."""

        def step(connection: socket.socket) -> None:
            for number in range(len(raw)):
                self._pause(every)
                connection.sendall(raw[number : number + 1])

        return step

    @property
    def connections(self) -> int:
        """How many were ever made."""
        return len(self._open)

    def is_connected(self) -> bool:
        return any(one.fileno() >= 0 for one in self._open)

    def _pause(self, seconds: float) -> None:
        if self._over.wait(seconds):
            raise ConnectionError

    def close(self) -> None:
        self._over.set()
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self._run(self._serve, connection)

    def _serve(self, plain: socket.socket) -> None:
        arrived = b""
        with suppress(OSError), plain, self._secured(plain) as connection:
            while True:
                while (end := arrived.find(b"\r\n\r\n")) < 0:
                    arrived += _more(connection)
                heard = _parsed(arrived[:end].decode())
                length = end + 4 + int(heard.headers.get("content-length", 0))
                while len(arrived) < length:
                    arrived += _more(connection)
                self.heard.append(replace(heard, body=arrived[end + 4 : length]))
                arrived = arrived[length:]
                if not self._steps:
                    return
                self._steps.popleft()(connection)

    def _secured(self, plain: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(plain, server_side=True) if self._tls else plain


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError
    return data


def _parsed(head: str) -> Heard:
    request, *lines = head.split("\r\n")
    method, target, _ = request.split(" ")
    pairs = (line.partition(":") for line in lines)
    return Heard(method, target, {name.lower(): value.strip() for name, _, value in pairs}, b"")


def _head(status: int, length: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.fixture(autouse=True)
def _reads_are_repeated_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_PAUSES", (0.01, 0.02))


@pytest.fixture
def vendor() -> Iterator[ScriptedVendor]:
    scripted = ScriptedVendor()
    yield scripted
    scripted.close()


@pytest.fixture
def anonymous_tls() -> ssl.SSLContext:
    """Return TLS without certificates, so that no test needs a private key to lie about."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    return context


@pytest.fixture
def tls_vendor(anonymous_tls: ssl.SSLContext) -> Iterator[ScriptedVendor]:
    scripted = ScriptedVendor(anonymous_tls)
    yield scripted
    scripted.close()


@pytest.fixture
def nobody() -> str:
    """Return an address of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def key() -> str:
    return KEY


@pytest.fixture
def connect() -> Iterator[Callable[..., LettrLabs]]:
    """Return a maker of clients, closed when the test ends."""
    with ExitStack() as stack:

        def make(
            url: str, *, timeouts: Timeouts = QUICK, rate: RateLimit | None = None, connections: int = 4
        ) -> LettrLabs:
            client = LettrLabs(url, SecretStr(KEY), timeouts=timeouts, rate=rate, connections=connections)
            return stack.enter_context(client)

        yield make


@pytest.fixture
def client(vendor: ScriptedVendor, connect: Callable[..., LettrLabs]) -> LettrLabs:
    return connect(vendor.url)
