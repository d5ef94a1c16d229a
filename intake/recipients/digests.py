"""What a person is known by once their data is gone: keyed digests of normal forms.

The key is the installation's own, so that a list of digests says nothing to anybody else, and not even guessed
addresses can be tried against it. Whoever has the whole database has the key too: it keeps company with the digests
on purpose, since a suppression list whose key was lost would be obeyed by nobody.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy import Connection, select

from intake.recipients.normalize import folded_lines, folded_streets
from models import IdentityKind, Installation

DIGEST_BYTES: Final = 16
"""Among a million recipients two different ones share a 128-bit digest once in some 10^26 campaigns."""

_BARE_UNIT: Final = re.compile(r"\s*(?:[A-Za-z]?[ -]?\d+(?:[ /-]?\d+)?[ -]?[A-Za-z]?|[A-Za-z])\s*", re.ASCII)
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

    def marks(self) -> dict[IdentityKind, bytes]:
        """Return the digest of each mark there is."""
        all_marks = dict(zip(IdentityKind, self[1:], strict=True))
        return {mark: digest for mark, digest in all_marks.items() if digest is not None}


def installation_key(connection: Connection) -> bytes:
    """Return the key of every digest in this database."""
    return connection.scalars(select(Installation.digest_key)).one()


Column: TypeAlias = list[bytes | None]


class IdentityColumns(NamedTuple):
    """What recipients are known by, column by column, as it stands in a list."""

    first_names: Sequence[str]
    last_names: Sequence[str]
    organizations: Sequence[str]
    lines1: Sequence[str]
    lines2: Sequence[str]
    zip_codes: Sequence[str]
    emails: Sequence[str]
    customers: Sequence[str]

    def __repr__(self) -> str:
        return "<Known>"


def of_recipients(known: IdentityColumns, key: bytes) -> list[Column]:
    """Return the digests of recipients, a column for each of `Digests`."""
    names = folded_names(known.first_names, known.last_names)
    organizations = folded_lines(known.organizations)
    places = folded_places(known.lines1, known.lines2, known.zip_codes)
    who = [name or organization for name, organization in zip(names, organizations, strict=True)]
    persons = _digests(b"person", map(_at, who, places), key)
    wholes = _digests(_WHOLE, map(_beyond_a_person, names, organizations, places), key)
    return [
        [whole or at_home for whole, at_home in zip(wholes, persons, strict=True)],
        persons,
        _digests(b"address", places, key),
        _digests(b"email", map(str.casefold, map(str.strip, known.emails)), key),
        _digests(b"customer", map(str.strip, known.customers), key),
    ]


def _beyond_a_person(name: str, organization: str, place: str) -> str:
    """Return the form of a whole that is not its `person` alone: of both, or of nobody."""
    if name and organization:
        return f"{name}\n{organization}\n{place}"
    return "" if name or organization else place


def person(name: str, organization: str, place: str, key: bytes) -> bytes | None:
    """Return the digest of a name, or else an organization, at a place; None for nobody."""
    return _digests(b"person", [_at(name or organization, place)], key)[0]


def address(place: str, key: bytes) -> bytes | None:
    """Return the digest of a place, whoever lives there: the rule by which people are one household."""
    return _digests(b"address", [place], key)[0]


def of_email(text: str, key: bytes) -> bytes | None:
    """Return the digest of an email address without regard to case; None for an empty one."""
    return _digests(b"email", [text.strip().casefold()], key)[0]


def of_customer(text: str, key: bytes) -> bytes | None:
    """Return the digest of a customer id of your own, taken as it is; None for an empty one."""
    return _digests(b"customer", [text.strip()], key)[0]


def folded_names(firsts: Sequence[str], lasts: Sequence[str]) -> list[str]:
    """Return the normal forms of people's names."""
    return folded_lines([f"{first} {last}" for first, last in zip(firsts, lasts, strict=True)])


def folded_places(lines1: Sequence[str], lines2: Sequence[str], zip_codes: Sequence[str]) -> list[str]:
    """Return the normal forms of addresses: street line with unit, and five digits of the ZIP code.

    City and state are left out: the ZIP code names them, and spelling them (`St. Louis`, `Saint Louis`) is where
    lists differ.
    """
    streets = folded_streets([_with_unit(one, two) for one, two in zip(lines1, lines2, strict=True)])
    return [f"{street}\n{zip_code[:5]}" for street, zip_code in zip(streets, zip_codes, strict=True)]


def _with_unit(line1: str, line2: str) -> str:
    """Return an address in one line; a second line that is only a number or letter is a unit."""
    return f"{line1}{_second_line(line2)}" if line2 else line1


@lru_cache(maxsize=4096)
def _second_line(line: str) -> str:
    return f" # {line}" if _BARE_UNIT.fullmatch(line) else f" {line}"


def _at(who: str, place: str) -> str:
    return f"{who}\n{place}" if who else ""


def _digests(kind: bytes, forms: Iterable[str], key: bytes) -> Column:
    """Return the digest of each form, None for an empty one."""
    begin = _keyed(kind, key).copy
    found: Column = []
    for form in forms:
        if form:
            digest = begin()
            digest.update(form.encode())
            found.append(digest.digest())
        else:
            found.append(None)
    return found


@lru_cache(maxsize=64)
def _keyed(kind: bytes, key: bytes) -> blake2b:
    """Return a digest that has taken in the key; a copy of it costs half of taking it in again."""
    return blake2b(digest_size=DIGEST_BYTES, key=key, person=kind)
