"""The digest of a list's people, by which a campaign without a key is known.

It is a sum over the people, so their order does not matter. Neither do the file's bytes: encoding, delimiter, line
ends, columns that go nowhere. The people themselves matter, and what is printed for each.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from intake.recipients.rows import DIGEST, MailableRow, RecipientRow, as_jsonb

_SALUTATION: Final = MailableRow._fields.index("salutation")
_MERGE: Final = MailableRow._fields.index("merge")
_NO_MERGE: Final = as_jsonb({})
_MODULUS: Final = 2**256


class PeopleDigest:
    """A digest that grows with the people added to it, in any order."""

    def __init__(self) -> None:
        """Start with no people."""
        self._sum = 0
        self._people = 0

    def add(self, people: Sequence[RecipientRow]) -> None:
        """Add people, each of them once."""
        self._sum = (self._sum + sum(int.from_bytes(_digest_of(one)) for one in people)) % _MODULUS
        self._people += len(people)

    def hex(self) -> str:
        """Return the digest of the people added so far."""
        return f"{self._people}:{self._sum:x}"


def _digest_of(person: RecipientRow) -> bytes:
    """Return a digest of the person and of what is printed; the person's own where nothing else is printed."""
    digest: bytes = person[DIGEST]
    salutation, merge = person[_SALUTATION], person[_MERGE]
    if salutation is None and merge == _NO_MERGE:
        return digest
    return blake2b(b"%b%b\0%b" % (digest, (salutation or "").encode(), merge)).digest()
