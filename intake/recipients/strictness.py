"""How sure an address must look before it is mailed, and what a strict look finds that a normal one lets pass."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from intake.reasons import ReasonCode
from intake.recipients.normalize import folded_street


class Strictness(StrEnum):
    """Strict turns away what looks doubtful; relaxed asks only for what LettrLabs requires.

    It checks addresses itself: a relaxed look forgives a missing name, and a ZIP code of another state.
    """

    STRICT = "strict"
    NORMAL = "normal"
    RELAXED = "relaxed"


_MILITARY_STATES: Final = frozenset({"AA", "AE", "AP"})
# Publication 28, section 225: military and diplomatic mail names one of these in place of a city.
_MILITARY_CITIES: Final = frozenset({"APO", "FPO", "DPO"})
_PLACEHOLDERS: Final = frozenset(
    {"-", "--", ".", "?", "n/a", "na", "none", "null", "nil", "tbd", "test", "unknown", "x", "xx", "xxx"}
)
# Publication 28, sections 241 to 281: delivery lines that need no house number of the usual kind.
_WITHOUT_HOUSE: Final = re.compile(r"\b(?:general delivery|po box|rr|hc|psc|unit|cmr)\b")
_ZIP4: Final = re.compile(r"\d{1,4}(?:\.0)?", re.ASCII)


class AddressWarning(NamedTuple):
    """What looks doubtful, in which field; the sentence goes on after the column's name."""

    code: ReasonCode
    field: str
    words: str


def doubts(address1: str, city: str, state: str | None, zip4: str) -> Iterator[AddressWarning]:
    """Yield what is doubtful about an address that has everything it needs."""
    for field, cell in (("address1", address1), ("city", city)):
        if cell.casefold() in _PLACEHOLDERS:
            yield AddressWarning(ReasonCode.PLACEHOLDER, field, "holds a word that stands for nothing known.")
    if address1 and not _has_a_number(address1):
        yield AddressWarning(ReasonCode.NO_STREET_NUMBER, "address1", "has no house number, box or route.")
    if state and city and (state in _MILITARY_STATES) != (city.upper() in _MILITARY_CITIES):
        yield AddressWarning(
            ReasonCode.MILITARY_MISMATCH,
            "city",
            "must be APO, FPO or DPO with AA, AE or AP, and only with these.",
        )
    if zip4 and not _ZIP4.fullmatch(zip4):
        yield AddressWarning(ReasonCode.MALFORMED_ZIP4, "zip4", "is not the four digits of a ZIP+4.")


def _has_a_number(address1: str) -> bool:
    return any(map(str.isdigit, address1)) or _WITHOUT_HOUSE.search(folded_street(address1)) is not None
