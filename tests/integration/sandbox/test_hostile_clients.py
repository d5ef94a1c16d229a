"""The simulator's HTTP server has the bounds of the product's, in code of its own."""

import socket
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit


def status_of(sandbox: Any, *parts: bytes) -> int:
    parsed = urlsplit(str(sandbox.url))
    with closing(socket.create_connection((parsed.hostname, parsed.port), timeout=20)) as client:
        for part in parts:
            try:
                client.sendall(part)
            except OSError:
                break
        return int(client.recv(100).split()[1])


def test_a_header_without_an_end_is_refused_after_64_kib(sandbox: Any) -> None:
    endless = [b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Long: ", *([b"a" * 65_536] * 100)]

    assert status_of(sandbox, *endless) == 431


def test_what_is_not_http_is_refused(sandbox: Any) -> None:
    assert status_of(sandbox, b"\x16\x03\x01 hello\r\n\r\n") == 400
