"""Who on the vendor's list is who on ours. The vendor keeps no key of ours and may rewrite addresses.

People are paired from the surest sign to the weakest; within one sign, in the order they stand. Two people who
agree in every sign get the same piece at the same address, so it does not matter which of them is which.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from string import ascii_lowercase, digits
from typing import Any, Final, NamedTuple, Protocol, TypeAlias


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


class _Folded(NamedTuple):
    """What is compared of a person, as words only; ``house`` is the number that their first line begins with."""

    name: tuple[str, str, str]
    address1: str
    address2: str
    house: str
    zip5: str


Sign: TypeAlias = Callable[[_Folded], Any]


class _Plain(dict[int, str]):
    """For `str.translate`: small letters and digits as they are, and a space for everything else."""

    def __missing__(self, code: int) -> str:
        return " "


_PLAIN: Final = _Plain({ord(letter): letter for letter in ascii_lowercase + digits})

# A normalised address keeps the ZIP's first five digits and the house number; what a vendor may do to the rest
# (Street to ST, a unit moved to the second line) is its own affair.
SIGNS: tuple[Sign, ...] = (
    lambda one: one,
    lambda one: (one.name, one.house, one.zip5),
    lambda one: (one.name, one.zip5),
    lambda one: one.name,
    lambda one: (one.house, one.zip5),
)


def pair(ours: Mapping[int, Person], theirs: Mapping[int, Person]) -> dict[int, int]:
    """Return for each of ours that could be paired which of theirs it is; nobody is paired twice."""
    open_ours = {number: _folded(person) for number, person in ours.items()}
    open_theirs = {number: _folded(person) for number, person in theirs.items()}
    pairs: dict[int, int] = {}
    for sign in SIGNS:
        if not open_ours or not open_theirs:
            break
        waiting: dict[Any, list[int]] = defaultdict(list)
        for number in reversed(open_theirs):
            waiting[sign(open_theirs[number])].append(number)
        for number in list(open_ours):
            candidates = waiting.get(sign(open_ours[number]))
            if candidates:
                pairs[number] = candidates.pop()
                del open_ours[number], open_theirs[pairs[number]]
    return pairs


def _folded(person: Person) -> _Folded:
    line = _fold(person.address1)
    return _Folded(
        (_fold(person.first_name), _fold(person.last_name), _fold(person.organization)),
        line,
        _fold(person.address2),
        line.partition(" ")[0],
        (person.zip_code or "")[:5],
    )


def _fold(value: str | None) -> str:
    return " ".join(value.casefold().translate(_PLAIN).split()) if value else ""
