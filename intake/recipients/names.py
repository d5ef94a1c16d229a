"""How a name in one column becomes a first and a last name.

The rule, as docs/csv.md tells it: `Last, First` is turned round; an abbreviation such as LLC at the end makes it
an organization; a title in front is the salutation; the last word is the last name, together with `Jr.` and the
like behind it and particles such as `van der` before it; one word alone is a first name.
"""

from typing import Final, NamedTuple

_AND: Final = frozenset({"&", "and", "y", "+"})
_TITLES: Final = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "hon", "sra", "fr", "capt", "col"}
)
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
    parts = [part.strip() for part in text.split(",") if part.strip()]
    title, parts = _title_in_front(parts)
    behind = [part for part in parts[1:] if _are_all(part, _AFTER_NAMES | _COMPANIES)]
    given = [part for part in parts[1:] if part not in behind]
    if len(parts) > 1 and given:
        return _turned_round(parts[0], given, behind, title)
    words = text.replace(",", " ").split()
    if len(words) > 1 and _bare(words[-1]) in _COMPANIES:
        return Name(organization=text)
    return _titled(" ".join(parts).split(), title)


def _turned_round(last: str, given: list[str], behind: list[str], title: str) -> Name:
    """Return `Lee, Ann` turned round: what follows a name, wherever it stands, goes behind the last name."""
    words = " ".join(given).split()
    found, words = _taken_titles(words)
    at = len(words)
    while at > 1 and _bare(words[at - 1]) in _AFTER_NAMES:
        at -= 1
    after = [*words[at:], *" ".join(behind).split()]
    return Name(" ".join(words[:at]), " ".join([last, *after]), salutation=title or found)


def _title_in_front(parts: list[str]) -> tuple[str, list[str]]:
    if not parts:
        return "", parts
    title, words = _taken_titles(parts[0].split())
    return title, [" ".join(words), *parts[1:]]


def _taken_titles(words: list[str]) -> tuple[str, list[str]]:
    """Take titles off the front: `Mr.`, and `Mr. & Mrs.`, as long as a name is left."""
    at = 0
    if len(words) > 1 and _bare(words[0]) in _TITLES:
        at = 1
        while len(words) > at + 2 and words[at].casefold() in _AND and _bare(words[at + 1]) in _TITLES:
            at += 2
    return " ".join(words[:at]), words[at:]


def _titled(words: list[str], title: str) -> Name:
    if title and len(words) == 1:
        return Name(last=words[0], salutation=title)
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


def _are_all(part: str, known: frozenset[str]) -> bool:
    return all(_bare(word) in known for word in part.split())


def _bare(word: str) -> str:
    return word.replace(".", "").casefold()
