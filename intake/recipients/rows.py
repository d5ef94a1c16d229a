"""Whom a list or an event has us mail, as the table of recipients keeps them."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from intake.recipients.recipient import Recipient

encode: Final = json.JSONEncoder(ensure_ascii=False).encode


class MailableRow(NamedTuple):
    """Somebody to mail, in the columns of `models.Recipient`; `row` is None for who came from no table.

    What there is nothing of is None. `merge` is what PostgreSQL takes for a `jsonb`, see `as_jsonb`.
    """

    row: int | None
    digest: bytes
    person_digest: bytes | None
    address_digest: bytes | None
    email_digest: bytes | None
    customer_digest: bytes | None
    first_name: str | None
    last_name: str | None
    organization: str | None
    salutation: str | None
    address1: str
    address2: str | None
    city: str
    state: str
    zip_code: str
    country: str
    email: str | None
    phone: str | None
    customer_id: str | None
    merge: bytes

    def __repr__(self) -> str:
        return "<Mailable>"


RecipientRow: TypeAlias = tuple[Any, ...]
"""A `Mailable`, or a bare tuple of the same: a million of them are only handed on."""

PERSON_DIGEST: Final = MailableRow._fields.index("person_digest")
"""Where a person's digest is, by which pieces of earlier mailings are found."""
MERGE: Final = MailableRow._fields.index("merge")
"""Where a person's merge fields are, as PostgreSQL takes them."""
DIGEST: Final = MailableRow._fields.index("digest")
"""Where a person's digest of the whole is, by which duplicates are known."""


def to_row(row: int | None, recipient: Recipient, key: bytes) -> MailableRow:
    """Return a recipient as who is mailed, known by the digests under this key."""
    return MailableRow(
        row,
        *recipient.known_by(key),
        recipient.first_name or None,
        recipient.last_name or None,
        recipient.organization or None,
        recipient.salutation or None,
        recipient.address1,
        recipient.address2 or None,
        recipient.city,
        recipient.state,
        recipient.zip_code,
        recipient.country,
        recipient.email or None,
        recipient.phone or None,
        recipient.customer_id,
        as_jsonb(recipient.merge),
    )


def as_jsonb(merge: Mapping[str, str]) -> bytes:
    """Return what `jsonb_recv` reads: a version and the text. The driver's own way takes a microsecond more."""
    return b"\x01" + encode(merge).encode() if merge else b"\x01{}"
