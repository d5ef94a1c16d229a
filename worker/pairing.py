"""Who on the vendor's list is who on ours. The vendor keeps no key of ours and may rewrite addresses.

People are paired from the surest sign to the weakest; within one sign, in the order they stand. Two people who
agree in every sign get the same piece at the same address, so it does not matter which of them is which.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol, TypeAlias


class Person(Protocol):
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


Sign: TypeAlias = tuple[str, ...]
_FOLD = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=8192)
def _fold(value: str | None) -> str:
    """Return words only. Cached, for each value is asked for by several signs and stands on both lists."""
    return _FOLD.sub(" ", (value or "").casefold()).strip()


def _name(person: Person) -> Sign:
    return _fold(person.first_name), _fold(person.last_name), _fold(person.organization)


def _zip(person: Person) -> str:
    return (person.zip_code or "")[:5]


def _house(person: Person) -> str:
    return _fold(person.address1).partition(" ")[0]


# A normalised address keeps the ZIP's first five digits and the house number; what a vendor may do to the rest
# (Street to ST, a unit moved to the second line) is its own affair.
SIGNS: tuple[Callable[[Person], Sign], ...] = (
    lambda person: (*_name(person), _fold(person.address1), _fold(person.address2), _zip(person)),
    lambda person: (*_name(person), _house(person), _zip(person)),
    lambda person: (*_name(person), _zip(person)),
    _name,
    lambda person: (_house(person), _zip(person)),
)


def pair(ours: Mapping[int, Person], theirs: Mapping[int, Person]) -> dict[int, int]:
    """Return for each of ours that could be paired which of theirs it is; nobody is paired twice."""
    open_ours, open_theirs = dict(ours), dict(theirs)
    pairs: dict[int, int] = {}
    for sign in SIGNS:
        waiting: dict[Sign, list[int]] = defaultdict(list)
        for number in reversed(open_theirs):
            waiting[sign(open_theirs[number])].append(number)
        for number in list(open_ours):
            candidates = waiting.get(sign(open_ours[number]))
            if candidates:
                pairs[number] = candidates.pop()
                del open_ours[number], open_theirs[pairs[number]]
    return pairs
