"""A whole address in one cell, as Mailchimp, QuickBooks and address books write it, taken apart.

ZIP code and state are read from the end. Between street and city there is a line break, a comma, or two spaces. Where
there is nothing, the street ends with its suffix, and a direction or a unit behind it. What is
unclear is not guessed.
"""

import re
from typing import Final, NamedTuple

from intake.recipients.us_states import is_domestic, state_code

_BREAKS: Final = re.compile(r"\s*(?:[,;|\r\n]+|\s{2,})\s*")
_ZIP: Final = re.compile(r"(?:^|(?<=[\s,]))(\d{5}(?:[-\u2010-\u2015 ]?\d{4})?|\d{4})$", re.ASCII)
_MOST_STATE_WORDS: Final = 4
_CITY_WITH_STATE: Final = frozenset({"washington dc", "washington d.c."})
_UNITS: Final = re.compile(
    r"(?:apt|apartment|unit|suite|ste|room|rm|floor|fl|lot|trlr|bldg|#)\.?\s?#?\s?\w+", re.IGNORECASE
)
# Only what is hardly ever a part of a city's name: no Beach, Park, Springs or Hill.
_SUFFIXES: Final = frozenset(
    [
        "aly",
        "alley",
        "ave",
        "avenue",
        "blvd",
        "boulevard",
        "cir",
        "circle",
        "ct",
        "court",
        "cv",
        "cove",
        "dr",
        "drive",
        "expy",
        "hwy",
        "highway",
        "ln",
        "lane",
        "loop",
        "path",
        "pike",
        "pkwy",
        "parkway",
        "pl",
        "place",
        "plz",
        "plaza",
        "rd",
        "road",
        "route",
        "row",
        "run",
        "sq",
        "square",
        "st",
        "street",
        "ter",
        "terrace",
        "trl",
        "trail",
        "way",
    ]
)
_DIRECTIONS: Final = frozenset(["n", "s", "e", "w", "ne", "nw", "se", "sw", "north", "south", "east", "west"])
_LONGEST_DIRECTION: Final = 2
_BOX: Final = re.compile(r"(?:p\.?\s?o\.?\s?box|rr|hc)\s?#?\s?\w+(?:\s+box\s+\w+)?", re.IGNORECASE)


class OneCell(NamedTuple):
    """The parts of an address; what could not be told is empty."""

    address1: str
    address2: str = ""
    city: str = ""
    state: str = ""
    zip_code: str = ""
    country: str = ""


def split_address(text: str) -> OneCell:
    """Return the parts of an address; all of it as the street line if its end is no state with a ZIP code."""
    pieces = [piece for piece in _BREAKS.split(text.strip()) if piece]
    country = ""
    if (
        len(pieces) > 1
        and not _ZIP.search(pieces[-1])
        and is_domestic(pieces[-1])
        and not state_code(pieces[-1])
    ):
        country = pieces.pop()
    elif pieces and (match := re.search(r"(.*\d{4})\s+(USA?|United States)\.?$", pieces[-1], re.IGNORECASE)):
        pieces[-1], country = match[1], match[2]
    zip_match = _ZIP.search(pieces[-1]) if pieces else None
    if not zip_match:
        return OneCell(" ".join(text.split()))
    pieces[-1] = pieces[-1][: zip_match.start()].rstrip(" ,")
    place = [piece for piece in pieces if piece]
    found = _without_state(place)
    if found is None:
        return OneCell(" ".join(text.split()))
    place, state = found
    street, unit, city = _street_and_city(place)
    if not (street and city):
        return OneCell(" ".join(text.split()))
    return OneCell(street, unit, city, state, zip_match[1], country)


def _without_state(pieces: list[str]) -> tuple[list[str], str] | None:
    """Take the state off the end: a piece of its own, or the last words of the last piece."""
    if not pieces:
        return None
    words = pieces[-1].split()
    for length in range(min(_MOST_STATE_WORDS, len(words)), 0, -1):
        state = " ".join(words[-length:])
        if state_code(state) and state.casefold() not in _CITY_WITH_STATE:
            rest = " ".join(words[:-length])
            return [*pieces[:-1], *([rest] if rest else [])], state
    return None


def _street_and_city(pieces: list[str]) -> tuple[str, str, str]:
    if len(pieces) > 1:
        street, *middle, city = pieces
        return street, " ".join(middle), city
    return _without_break(pieces[0].split()) if pieces else ("", "", "")


def _without_break(words: list[str]) -> tuple[str, str, str]:
    """Cut a line without any break behind its street suffix, and a unit behind that."""
    text = " ".join(words)
    box = _BOX.match(text)
    if box:
        return box[0], "", text[box.end() :].strip()
    bare = [word.strip(".").casefold() for word in words]
    end = next((at + 1 for at in range(2, len(words) - 1) if _ends_street(bare, at)), None)
    if end is None:
        return "", "", ""
    end += bare[end] in _DIRECTIONS and end + 1 < len(words) and len(bare[end]) <= _LONGEST_DIRECTION
    street, rest = " ".join(words[:end]), " ".join(words[end:])
    unit = _UNITS.match(rest)
    return (street, unit[0], rest[unit.end() :].strip()) if unit else (street, "", rest)


def _ends_street(words: list[str], at: int) -> bool:
    """Tell whether a word is a street's suffix, and not its name as in `12 N Court St`."""
    if words[at] not in _SUFFIXES:
        return False
    return words[at - 1] not in _DIRECTIONS or words[at + 1] not in _SUFFIXES
