"""Connections to addresses that somebody else chose: only out into the world, and within one deadline.

A webhook's address must not lead back to what only this machine can reach: a database, a cloud's metadata, the
sandbox. So the name is resolved here, every address it has is checked, and the connection is made to one of those
that were checked, not to whatever the name means a moment later.
"""

import socket
from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

import httpcore

from lettrlabs.deadline import DeadlineBackend

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# RFC 6052: an IPv4 address in its last 32 bits, reached through a translator.
_NAT64: Final = IPv6Network("64:ff9b::/96")
# Python holds these for public. One cloud answers for its machines' secrets at 192.0.0.192.
_INSIDE: Final = (
    IPv4Network("192.0.0.0/24"),  # RFC 6890: protocol assignments
    IPv4Network("192.88.99.0/24"),  # RFC 7526: relays of 6to4, given up
    IPv6Network("fec0::/10"),  # RFC 3879: site-local, given up
)


class ForbiddenAddressError(httpcore.ConnectError):
    """The name leads to where no notice may go; nothing was sent."""


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks named in a setting."""
    return tuple(ip_network(one) for one in text.split())


class PublicOnlyBackend(DeadlineBackend):
    """Connects to public addresses, and to those of the networks allowed besides; plain http only to the latter."""

    def __init__(self, allowed: Sequence[Network], *, plain: bool) -> None:
        """Connect within `allowed`; `plain` says that there is no TLS on top."""
        self._allowed = allowed
        self._plain = plain

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a checked address; raises ForbiddenAddressError if any address of the host is not allowed."""
        addresses = resolved(host, port)
        if not all(is_allowed(one, self._allowed, plain=self._plain) for one in addresses):
            raise ForbiddenAddressError(REFUSAL)
        return super().connect_tcp(str(addresses[0]), port, timeout, local_address, socket_options)


REFUSAL: Final = (
    "the address is private, reserved or not encrypted: allow its network with MAILRUN_WEBHOOK_NETWORKS"
)


def resolved(host: str, port: int) -> list[Address]:
    """Return the addresses of a host; raises httpcore.ConnectError if there are none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
    except (OSError, UnicodeError, ValueError) as error:
        raise httpcore.ConnectError("the host name could not be resolved") from error


def is_allowed(address: Address, allowed: Sequence[Network], *, plain: bool) -> bool:
    """Return whether a notice may go to an address."""
    if any(address in network for network in allowed):
        return True
    return not plain and all(_is_public(one) for one in (address, *_embedded(address)))


def _is_public(address: Address) -> bool:
    if any(address in network for network in _INSIDE):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _embedded(address: Address) -> list[Address]:
    """Return the addresses that an IPv6 address stands for on the other side of a translator or tunnel."""
    if isinstance(address, IPv4Address):
        return []
    inner: list[Address | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in inner if one is not None]
