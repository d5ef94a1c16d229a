"""One person or organization to whom a piece is mailed."""

from collections.abc import Mapping
from typing import NamedTuple

from intake.recipients.digests import Digests, IdentityColumns, of_recipients


class Recipient(NamedTuple):
    """Who a piece is for, with an address that passed `intake.recipients.validator`.

    The state is a two-letter code, the ZIP code five or nine digits without a dash. `merge` holds what the template
    prints besides, under the vendor's names: `custom1` to `custom6`, `image1` to `image6` and the rest of
    `intake.recipients.fields`. Its repr shows none of it, so that no log line or traceback can.
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
    merge: Mapping[str, str] = {}  # nobody writes to it

    def __repr__(self) -> str:
        return "<Recipient>"

    @property
    def digest(self) -> bytes:
        """Return 16 bytes that are the same for the same person at the same address, without a key.

        Same means the same normal form of name, organization, street line and unit, and the same five digits of
        the ZIP code. For comparing within one list; what is kept is keyed.
        """
        return self.known_by(b"").whole

    def known_by(self, key: bytes) -> Digests:
        """Return the digests that are kept, under the installation's key."""
        known = IdentityColumns(
            [self.first_name],
            [self.last_name],
            [self.organization],
            [self.address1],
            [self.address2],
            [self.zip_code],
            [self.email],
            [self.customer_id or ""],
        )
        return Digests._make(digests for (digests,) in of_recipients(known, key))
