"""Where notices may go: out into the world, and never where only this machine or its network can reach."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from tests.integration.events.conftest import WebhookReceiver
from worker.settings import Settings
from worker.webhooks.egress import is_allowed, networks

PUBLIC, METADATA, LOCAL = "93.184.215.14", "169.254.169.254", "127.0.0.1"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """Return what names resolve to, one list of addresses after the other; each use takes one away."""
    known: dict[str, list[list[str]]] = {}
    really = socket.getaddrinfo

    def resolve(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if host not in known:
            return really(host, port, *rest, **options)
        kind, stream = socket.AF_INET, socket.SOCK_STREAM
        return [(kind, stream, 6, "", (address, port)) for address in known[host].pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "https://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f.1:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://0.0.0.0:{port}/",
    ],
)
def test_nothing_is_sent_to_this_machine_unless_its_network_is_allowed(
    engine: Any, receiver: Any, mailing: int, url: str
) -> None:
    office = WebhookReceiver(engine, Settings())
    office.hook(url.format(port=receiver.port))
    office.tell(mailing)

    office.tick()

    assert receiver.got == []
    assert "MAILRUN_WEBHOOK_NETWORKS" in office.notices()[0].why


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.1.1.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("192.0.0.192", False),
        ("192.88.99.1", False),
        ("64:ff9b:1::7f00:1", False),
        ("::127.0.0.1", False),
        ("198.18.0.1", False),
        ("255.255.255.255", False),
        ("fc00::1", False),
    ],
)
def test_only_public_addresses_may_be_told(address: str, allowed: bool) -> None:
    assert is_allowed(ip_address(address), (), plain=False) is allowed


def test_plain_http_goes_to_allowed_networks_only() -> None:
    assert not is_allowed(ip_address("8.8.8.8"), networks("10.0.0.0/8"), plain=True)
    assert is_allowed(ip_address("10.1.1.1"), networks("10.0.0.0/8"), plain=True)


@pytest.mark.parametrize("addresses", [[LOCAL], [METADATA], [PUBLIC, LOCAL], [PUBLIC, METADATA]])
def test_a_name_that_leads_inside_by_any_of_its_addresses_is_refused(
    engine: Any, receiver: Any, mailing: int, names: Any, addresses: list[str]
) -> None:
    office = WebhookReceiver(engine, Settings())
    names["hook.example.com"] = [addresses]
    office.hook(f"https://hook.example.com:{receiver.port}/")
    office.tell(mailing)

    assert office.tick() == 0

    assert receiver.got == []
    assert "MAILRUN_WEBHOOK_NETWORKS" in office.notices()[0].why


def test_the_connection_is_made_to_the_address_that_was_checked_whatever_the_name_means_then(
    office: Any, receiver: Any, mailing: int, names: Any
) -> None:
    names["hook.example.com"] = [[LOCAL], [METADATA]]
    office.hook(f"http://hook.example.com:{receiver.port}/hook")
    office.tell(mailing)

    assert office.tick() == 1

    assert names["hook.example.com"] == [[METADATA]], "the name was asked for once"
    ((headers, _),) = receiver.got
    assert headers["host"] == f"hook.example.com:{receiver.port}"


def test_a_redirect_is_not_followed(office: Any, receiver: Any, mailing: int) -> None:
    office.hook(receiver.url)
    office.tell(mailing)
    receiver.answers = [302]

    assert office.tick() == 0

    assert receiver.paths == ["/hook"]
    (notice,) = office.notices()
    assert (notice.status, notice.why, notice.taken_at) == (302, "answered 302", None)
