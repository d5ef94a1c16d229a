"""What the sandbox thinks of an address: whether mail can reach it, and how the postal service writes it."""

from collections.abc import Mapping
from typing import NamedTuple
from zlib import crc32

from sandbox.domain.zip_codes import PREFIXES

_ABBREVIATIONS = {
    "ALLEY": "ALY",
    "APARTMENT": "APT",
    "AVENUE": "AVE",
    "BOULEVARD": "BLVD",
    "CIRCLE": "CIR",
    "COURT": "CT",
    "DRIVE": "DR",
    "HIGHWAY": "HWY",
    "LANE": "LN",
    "PARKWAY": "PKWY",
    "PLACE": "PL",
    "ROAD": "RD",
    "SQUARE": "SQ",
    "STREET": "ST",
    "SUITE": "STE",
    "TERRACE": "TER",
    "TRAIL": "TRL",
}
_ZIP = 5
_ZIP_PLUS_FOUR = 9
_REQUIRED = ("address1", "city", "state", "zipCode")


class Address(NamedTuple):
    """A deliverable address as the postal service writes it."""

    address1: str
    address2: str
    city: str
    state: str
    zip5: str
    zip4: str
    country: str


def said(fields: Mapping[str, object], name: str) -> str:
    """Return a field of a request as text; absent and null are empty."""
    value = fields.get(name)
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else str(value)


def complaint(fields: Mapping[str, object]) -> str | None:
    """Return why mail cannot reach this address, or None if it can.

    Beside what is really wrong, an address1 that begins with `0 ` or contains `Undeliverable` is a marker
    for a place that does not exist.
    """
    given = [said(fields, name) for name in _REQUIRED]
    if "" in given:
        return f"Missing {_REQUIRED[given.index('')]}"
    street, _, state, zip_code = given
    prefixes = PREFIXES.get(state.upper())
    if prefixes is None:
        return "Invalid state"
    digits = zip_code.replace("-", "")
    if len(digits) not in (_ZIP, _ZIP_PLUS_FOUR) or not digits.isdecimal():
        return "Invalid zipCode: 5 or 9 digits expected"
    if digits[:3] not in prefixes:
        return "zipCode does not match state"
    if street.startswith("0 ") or "undeliverable" in street.lower():
        return "Address is undeliverable"
    return None


def normalised(fields: Mapping[str, object]) -> Address:
    """Return a deliverable address in the postal service's spelling, with a ZIP+4.

    The four digits are the given ones or a number that depends on the street alone.
    """
    street = street_form(said(fields, "address1"))
    digits = said(fields, "zipCode").replace("-", "")
    zip4 = digits[_ZIP:] or said(fields, "zip4") or str(1000 + crc32(street.encode()) % 9000)
    return Address(
        address1=street,
        address2=street_form(said(fields, "address2")),
        city=said(fields, "city").upper(),
        state=said(fields, "state").upper(),
        zip5=digits[:_ZIP],
        zip4=zip4,
        country=said(fields, "country") or "US",
    )


def street_form(line: str) -> str:
    """Return an address line in capitals with the usual words abbreviated: `12 Oak Street` is `12 OAK ST`."""
    words = line.upper().replace(".", "").split()
    return " ".join([_ABBREVIATIONS.get(word, word) for word in words])
