"""What a person is known by once their data is gone: keyed digests of normal forms.

The key is the installation's own, so that a list of digests says nothing to anybody else, and not even guessed
addresses can be tried against it. Whoever has the whole database has the key too: it keeps company with the digests
on purpose, since a suppression list whose key was lost would be obeyed by nobody.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from intake.publication28 import folded_street, folded_words
from models import Installation, Mark

DIGEST_BYTES: Final = 16
"""Among a million recipients two different ones share a 128-bit digest once in some 10^26 campaigns."""

_WHOLE: Final = b"recipient"


class Digests(NamedTuple):
    """A recipient's digests; None for a mark they do not have.

    `whole` is of name, organization and address, by which duplicates are found. In `person` an organization counts
    only where there is no name: who does not want mail does not want it at work either.
    """

    whole: bytes
    person: bytes | None = None
    address: bytes | None = None
    email: bytes | None = None
    customer: bytes | None = None

    def marks(self) -> dict[Mark, bytes]:
        """Return the digest of each mark there is."""
        all_marks = dict(zip(Mark, self[1:], strict=True))
        return {mark: digest for mark, digest in all_marks.items() if digest is not None}


def installation_key(connection: Connection) -> bytes:
    """Return the key of every digest in this database."""
    return connection.scalars(select(Installation.digest_key)).one()


def of_recipient(
    name: str, organization: str, place: str, email: str, customer_id: str, key: bytes
) -> Digests:
    """Return all digests of a recipient: name, organization and place in their normal forms."""
    at_home = person(name, organization, place, key)
    both = _digest(_WHOLE, f"{name}\n{organization}\n{place}", key) if name and organization else at_home
    return Digests(
        both or _digest(_WHOLE, place, key),
        at_home,
        address(place, key),
        of_email(email, key) if email else None,
        of_customer(customer_id, key) if customer_id else None,
    )


def person(name: str, organization: str, place: str, key: bytes) -> bytes | None:
    """Return the digest of a name, or else an organization, at a place; None for nobody."""
    who = name or organization
    return _digest(b"person", f"{who}\n{place}", key) if who else None


def address(place: str, key: bytes) -> bytes:
    """Return the digest of a place, whoever lives there: the rule by which people are one household."""
    return _digest(b"address", place, key)


def of_email(text: str, key: bytes) -> bytes | None:
    """Return the digest of an email address without regard to case; None for an empty one."""
    form = text.strip().casefold()
    return _digest(b"email", form, key) if form else None


def of_customer(text: str, key: bytes) -> bytes | None:
    """Return the digest of a customer id of your own, taken as it is; None for an empty one."""
    form = text.strip()
    return _digest(b"customer", form, key) if form else None


def folded_name(first: str, last: str) -> str:
    """Return the normal form of a person's name."""
    return folded_words(f"{first} {last}")


def folded_place(address1: str, address2: str, zip_code: str) -> str:
    """Return the normal form of an address: street line with unit, and five digits of the ZIP code.

    City and state are left out: the ZIP code names them, and spelling them (`St. Louis`, `Saint Louis`) is where
    lists differ.
    """
    return f"{folded_street(f'{address1} {address2}')}\n{zip_code[:5]}"


def _digest(kind: bytes, form: str, key: bytes) -> bytes:
    digest = _keyed(kind, key).copy()
    digest.update(form.encode())
    return digest.digest()


@lru_cache(maxsize=64)
def _keyed(kind: bytes, key: bytes) -> blake2b:
    """Return a digest that has taken in the key; a copy of it costs half of taking it in again."""
    return blake2b(digest_size=DIGEST_BYTES, key=key, person=kind)
