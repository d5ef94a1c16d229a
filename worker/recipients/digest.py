"""The digest that binds an order to exactly its recipients."""

from collections.abc import Iterable
from hashlib import blake2b


def recipients_digest(vendor_ids: Iterable[int]) -> bytes:
    """Return what binds an order to exactly these recipients, in any sequence."""
    return blake2b(b",".join(b"%d" % number for number in sorted(vendor_ids)), digest_size=16).digest()
