"""Calls reach the vendor through TLS and proxies, keep the deadline there too, and share few connections."""

import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lettrlabs import Accepted, LettrLabs, NotSent, Timeouts, Unknown, connections

# The scripted vendor of conftest.py, a class that pytest's importlib mode leaves without a name to import.
Vendor = Any
Connect = Callable[..., LettrLabs]


@pytest.fixture
def _trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    monkeypatch.setattr(connections, "_trusted", lambda: context)


@pytest.mark.usefixtures("_trusting")
def test_calls_travel_through_tls_and_keep_the_connection(tls_vendor: Vendor, connect: Connect) -> None:
    tls_vendor.then(*[tls_vendor.pays({"orderId": 5, "orders": []})] * 2)
    client = connect(tls_vendor.url)

    assert isinstance(client.create_order(7), Accepted)
    assert client.list_orders() == ()
    assert tls_vendor.connections == 1


@pytest.mark.usefixtures("_trusting")
def test_a_vendor_that_drips_through_tls_cannot_outlast_the_deadline(
    tls_vendor: Vendor, connect: Connect
) -> None:
    tls_vendor.then(tls_vendor.drips(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 1000, 0.01))

    start = time.monotonic()
    answer = connect(tls_vendor.url, timeouts=Timeouts(read=0.3, total=0.6)).create_order(7)

    assert isinstance(answer, Unknown)
    assert time.monotonic() - start < 2


def test_a_vendor_that_cannot_prove_who_it_is_is_sent_nothing(tls_vendor: Vendor, connect: Connect) -> None:
    assert isinstance(connect(tls_vendor.url).create_order(7), NotSent)
    assert tls_vendor.heard == []


def test_a_vendor_that_never_agrees_on_tls_is_sent_nothing(vendor: Vendor, connect: Connect) -> None:
    vendor.then(vendor.is_silent())
    url = vendor.url.replace("http:", "https:")

    start = time.monotonic()
    answer = connect(url, timeouts=Timeouts(connect=0.3)).create_order(7)

    assert isinstance(answer, NotSent)
    assert time.monotonic() - start < 2
    assert vendor.heard == []


@pytest.fixture
def _proxied(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, vendor.url.removesuffix("/api"))


@pytest.mark.usefixtures("_proxied")
def test_a_proxy_of_the_environment_is_asked_for_the_vendor(vendor: Vendor, connect: Connect) -> None:
    vendor.then(vendor.pays({"orderId": 5}))

    assert isinstance(connect("http://mail.example/api").create_order(7), Accepted)
    assert vendor.heard[0].target == "http://mail.example/api/v1/order"
    assert vendor.heard[0].body == b'{"templateId":7}'


@pytest.mark.usefixtures("_proxied")
def test_a_proxy_that_refuses_to_connect_means_nothing_was_sent(
    vendor: Vendor, connect: Connect, key: str
) -> None:
    vendor.then(vendor.says(403))

    answer = connect("https://mail.example/api").create_order(7)

    assert isinstance(answer, NotSent)
    assert (vendor.heard[0].method, vendor.heard[0].target) == ("CONNECT", "mail.example:443")
    assert key not in repr(vendor.heard)


@pytest.mark.usefixtures("_proxied")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_no_proxy_is_asked_for_this_machine(host: str, vendor: Vendor, connect: Connect) -> None:
    connect(f"http://{host}:9/api").create_order(7)

    assert vendor.heard == []


@pytest.mark.usefixtures("_proxied")
def test_a_proxy_whose_tls_would_hide_the_sockets_is_told_at_once(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "https://someone:hush-hush@proxy.example")

    with pytest.raises(ValueError, match="must be an http:// one") as told:
        connect("https://mail.example/api")

    assert "hush" not in str(told.value)


def test_many_threads_use_no_more_connections_than_allowed(vendor: Vendor, connect: Connect) -> None:
    vendor.then(*[vendor.pays({"orderId": 5})] * 64)
    client = connect(vendor.url, connections=3, timeouts=Timeouts())

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(client.create_order, range(64)))

    assert all(isinstance(answer, Accepted) for answer in answers)
    assert sorted(answer.call.request["template_id"] for answer in answers) == list(range(64))
    assert vendor.connections <= 3
