"""Who on the vendor's list is who on ours. The vendor keeps no key of ours and may rewrite addresses.

People are paired from the surest sign to the weakest; within one sign, in the order they stand. Two people who
agree in every sign get the same piece at the same address, so it does not matter which of them is which.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, Protocol, TypeAlias


class Matchable(Protocol):
    """What both lists know of a person."""

    @property
    def first_name(self) -> str | None: ...

    @property
    def last_name(self) -> str | None: ...

    @property
    def organization(self) -> str | None: ...

    @property
    def address1(self) -> str | None: ...

    @property
    def address2(self) -> str | None: ...

    @property
    def zip_code(self) -> str | None: ...


MatchKey: TypeAlias = tuple[str, ...]


class _Plain(dict[int, str]):
    """For `str.translate`: a space for every letter of another alphabet."""

    def __missing__(self, code: int) -> str:
        return " "


# Without a gap where most letters are: each gap would be asked for anew in every name.
_PLAIN: Final = _Plain({code: chr(code) if chr(code).isalnum() else " " for code in range(128)})


def _fold(value: str | None) -> str:
    """Return words only."""
    return " ".join(value.casefold().translate(_PLAIN).split()) if value else ""


# Names stand on both lists, and many of them for several people; lines of an address hardly ever.
_fold_name = lru_cache(maxsize=8192)(_fold)


def _name(person: Matchable) -> MatchKey:
    return _fold_name(person.first_name), _fold_name(person.last_name), _fold_name(person.organization)


def _zip(person: Matchable) -> str:
    return (person.zip_code or "")[:5]


def _house(person: Matchable) -> str:
    words = (person.address1 or "").casefold().translate(_PLAIN).split(maxsplit=1)
    return words[0] if words else ""


def _name_at_house(person: Matchable) -> MatchKey:
    return (*_name(person), _house(person), _zip(person))


# A normalised address keeps the ZIP's first five digits and the house number; what a vendor may do to the rest
# (Street to ST, a unit moved to the second line) is its own affair.
SIGNS: tuple[Callable[[Matchable], MatchKey], ...] = (
    lambda person: (*_name(person), _fold(person.address1), _fold(person.address2), _zip(person)),
    _name_at_house,
    lambda person: (*_name(person), _zip(person)),
    _name,
    lambda person: (_house(person), _zip(person)),
)


def match(ours: Mapping[int, Matchable], theirs: Mapping[int, Matchable]) -> dict[int, int]:
    """Return for each of ours that could be paired which of theirs it is; nobody is paired twice."""
    pairs = _unique_matches(ours, theirs)
    taken = set(pairs.values())
    open_ours = {number: person for number, person in ours.items() if number not in pairs}
    open_theirs = {number: person for number, person in theirs.items() if number not in taken}
    for sign in SIGNS if open_ours else ():
        waiting: dict[MatchKey, list[int]] = defaultdict(list)
        for number in reversed(open_theirs):
            waiting[sign(open_theirs[number])].append(number)
        for number in list(open_ours):
            candidates = waiting.get(sign(open_ours[number]))
            if candidates:
                pairs[number] = candidates.pop()
                del open_ours[number], open_theirs[pairs[number]]
    return pairs


def pair_cut(ours: Mapping[int, Matchable], theirs: Mapping[int, Matchable]) -> dict[int, int]:
    """Return the pairs of `pair`, and pair who is left by ZIP and by a name that one side has cut.

    Those who agree in both are paired in the order they stand: they live at one ZIP, and their names tell no more.
    """
    pairs = match(ours, theirs)
    taken = set(pairs.values())
    left = sorted(number for number in theirs if number not in taken and not _is_copy(number, theirs, taken))
    for number in sorted(ours.keys() - pairs.keys()):
        found = next((one for one in left if _is_cut(ours[number], theirs[one])), None)
        if found is not None:
            pairs[number] = found
            left.remove(found)
    return pairs


def are_written_differently(ours: Mapping[int, Matchable], theirs: Mapping[int, Matchable]) -> bool:
    """Return whether the people left on both lists are as many, at the same ZIPs, and no copies of paired ones.

    Handing the same people over again would bring the same writing.
    """
    pairs = pair_cut(ours, theirs)
    taken = set(pairs.values())
    left = [number for number in theirs if number not in taken]
    if any(_is_copy(number, theirs, taken) for number in left):
        return False
    return Counter(_zip(ours[number]) for number in ours.keys() - pairs.keys()) == Counter(
        _zip(theirs[number]) for number in left
    )


def _is_copy(number: int, theirs: Mapping[int, Matchable], paired: set[int]) -> bool:
    sign = _name_at_house(theirs[number])
    return any(_name_at_house(theirs[one]) == sign for one in paired)


def _is_cut(one: Matchable, other: Matchable) -> bool:
    if _zip(one) != _zip(other):
        return False
    names, others = _name(one), _name(other)
    if not any(names) or not any(others):
        return False
    fields = all(_one_begins_the_other(*both) for both in zip(names, others, strict=True))
    return fields or _one_begins_the_other(" ".join(filter(None, names)), " ".join(filter(None, others)))


def _one_begins_the_other(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _unique_matches(ours: Mapping[int, Matchable], theirs: Mapping[int, Matchable]) -> dict[int, int]:
    """Pair who is the only one of their name at their house on both lists, as almost everybody is.

    The surest sign could tell nothing else: who agrees in it agrees in this one as well.
    """
    found = _unique_by_key(theirs)
    return {number: found[sign] for sign, number in _unique_by_key(ours).items() if sign in found}


def _unique_by_key(people: Mapping[int, Matchable]) -> dict[MatchKey, int]:
    found: dict[MatchKey, int] = {}
    several: set[MatchKey] = set()
    for number, person in people.items():
        sign = _name_at_house(person)
        if found.setdefault(sign, number) != number:
            several.add(sign)
    return {sign: number for sign, number in found.items() if sign not in several}
