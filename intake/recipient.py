"""One person or organization to whom a piece is mailed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from intake.publication28 import folded_street, folded_words

DIGEST_BYTES: Final = 16
"""Among a million recipients two different ones share a 128-bit digest once in some 10^26 campaigns."""


@dataclass(frozen=True, slots=True, repr=False)
class Recipient:
    """Who a piece is for, with an address that passed `intake.addresses`.

    The state is a two-letter code, the ZIP code five or nine digits without a dash. `merge` holds what the template
    prints besides, under the vendor's names: `custom1` to `custom6`, `image1` to `image6` and the rest of
    `intake.fields`. Its repr shows none of it, so that no log line or traceback can.
    """

    address1: str
    city: str
    state: str
    zip_code: str
    first_name: str = ""
    last_name: str = ""
    organization: str = ""
    salutation: str = ""
    address2: str = ""
    country: str = "US"
    email: str = ""
    phone: str = ""
    customer_id: str | None = None
    merge: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "<Recipient>"

    @property
    def digest(self) -> bytes:
        """Return 16 bytes that are the same for the same person at the same address.

        Same means the same normal form of name, organization, street line and unit, and the same five digits of
        the ZIP code. City and state are left out: the ZIP code names them, and spelling them (`St. Louis`,
        `Saint Louis`) is where lists differ.
        """
        person = folded_words(f"{self.first_name} {self.last_name}")
        organization = folded_words(self.organization) if self.organization else ""
        street = folded_street(f"{self.address1} {self.address2}")
        normal = f"{person}\n{organization}\n{street}\n{self.zip_code[:5]}"
        return blake2b(normal.encode(), digest_size=DIGEST_BYTES).digest()
