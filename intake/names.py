"""How a name in one column becomes a first and a last name.

The rule, as docs/csv.md tells it: `Last, First` is turned round; an abbreviation such as LLC at the end makes it
an organization; a title in front is the salutation; the last word is the last name, together with `Jr.` and the
like behind it and particles such as `van der` before it; one word alone is a first name.
"""

from typing import Final, NamedTuple

_TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "hon", "sra"})
_AFTER_NAMES: Final = frozenset({"jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "dds", "cpa"})
_PARTICLES: Final = frozenset(
    {
        "van",
        "von",
        "der",
        "den",
        "de",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "das",
        "du",
        "la",
        "le",
        "ter",
        "bin",
    }
)
_COMPANIES: Final = frozenset({"llc", "inc", "corp", "ltd", "llp", "lp", "pllc", "plc", "co", "company"})


class Name(NamedTuple):
    """The parts of a name; those it does not have are empty."""

    first: str = ""
    last: str = ""
    organization: str = ""
    salutation: str = ""


def split_name(text: str) -> Name:
    """Return the parts of a full name, whose words are one space apart."""
    before, comma, after = (part.strip() for part in text.partition(","))
    if comma and not all(
        _bare(word) in _AFTER_NAMES | _COMPANIES for word in after.replace(",", " ").split()
    ):
        return _titled(after.split(), last=before)
    words = text.replace(",", " ").split()
    if len(words) > 1 and _bare(words[-1]) in _COMPANIES:
        return Name(organization=text)
    return _titled(words)


def _titled(words: list[str], last: str = "") -> Name:
    title = words.pop(0) if len(words) > 1 and _bare(words[0]) in _TITLES else ""
    if last:
        return Name(" ".join(words), last, salutation=title)
    at = _last_name_starts(words)
    return Name(" ".join(words[:at]), " ".join(words[at:]), salutation=title)


def _last_name_starts(words: list[str]) -> int:
    at = len(words)
    while at > 1 and _bare(words[at - 1]) in _AFTER_NAMES:
        at -= 1
    at = max(at - 1, 1)
    while at > 1 and _bare(words[at - 1]) in _PARTICLES:
        at -= 1
    return at


def _bare(word: str) -> str:
    return word.replace(".", "").casefold()
