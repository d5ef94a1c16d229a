"""People on an order: as they were sent, and as the API shows them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.domain.addresses import Address, normalised, said, street_form

MERGE_FIELDS = tuple(f"{kind}{number}" for kind in ("custom", "image") for number in range(1, 7))
_NAMES = ("firstName", "lastName", "toOrganization")
_PERSONAL = (*_NAMES, "salutation")
_LINES = ("address1", "address2", "city", "state")


class Sent(NamedTuple):
    """One recipient of a request, in its three parts; parts of the wrong shape count as empty."""

    address: Mapping[str, object]
    personal: Mapping[str, object]
    metadata: Mapping[str, object]

    @classmethod
    def read(cls, wire: Mapping[str, object]) -> "Sent":
        """Read the nested form of the API."""
        return cls(_part(wire, "address"), _part(wire, "personal"), _part(wire, "metadata"))

    def person(self) -> str:
        """Return who and where this is, the same for every spelling the sandbox takes for one person."""
        names = [said(self.personal, name) for name in _NAMES]
        lines = [said(self.address, line) for line in _LINES]
        return street_form(" | ".join((*names, *lines, said(self.address, "zipCode")[:5])))


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person on an order since `since`. `sent` is the JSON text of the request, opened only when asked."""

    id: int
    sent: str
    since: float = 0.0

    def opened(self) -> Sent:
        """Return what was sent."""
        return Sent.read(json.loads(self.sent))

    def flat(self, order: int, status: str, updated: str | None) -> dict[str, object]:
        """Return the form of GET /order with showRecipients: one level, and the delivery."""
        sent = self.opened()
        address = normalised(sent.address)
        return {
            "id": self.id,
            "orderId": order,
            **{name: sent.personal.get(name) for name in _PERSONAL},
            **_flat_address(address),
            "phoneNumber": sent.metadata.get("phoneNumber"),
            "email": sent.metadata.get("email"),
            **{name: sent.metadata.get(name) for name in MERGE_FIELDS},
            "delivery": {"status": status, "updatedDate": updated},
        }

    def merge_fields(self) -> dict[str, str]:
        """Return every field a design may name, as text."""
        sent = self.opened()
        parts = (sent.metadata, sent.address, sent.personal)
        return {name: said(part, name) for part in parts for name in part}


def nested(people: Sequence[Recipient]) -> list[dict[str, object]]:
    """Return people in the form of GET /order/{id}/recipients: three parts, the address normalised."""
    # Opened together: a document of its own for each costs more than what is in it.
    opened = json.loads(f"[{','.join([one.sent for one in people])}]")
    return [_nested(one.id, Sent.read(wire)) for one, wire in zip(people, opened, strict=True)]


def _nested(number: int, sent: Sent) -> dict[str, object]:
    address = normalised(sent.address)
    return {
        "id": number,
        "address": {
            "address1": address.address1,
            "address2": address.address2,
            "city": address.city,
            "state": address.state,
            "zipCode": address.zip5,
            "zip4": address.zip4,
            "zip2": None,
            "country": address.country,
        },
        "personal": {name: sent.personal.get(name) for name in _PERSONAL},
        "metadata": sent.metadata,
    }


def _flat_address(address: Address) -> dict[str, object]:
    return {
        "address1": address.address1,
        "address2": address.address2,
        "city": address.city,
        "state": address.state,
        "zipCode": f"{address.zip5}-{address.zip4}",
        "country": address.country,
    }


def _part(wire: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = wire.get(name)
    return part if isinstance(part, dict) else {}
