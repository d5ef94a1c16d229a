"""The verdict: what each contender claims, held against the ledger of its vendor."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.workload import Person, SampleMailing


@dataclass(frozen=True, slots=True)
class Claims:
    """What a contender says of its mailings, by their keys.

    ``told`` are those it reports to a person, with a reason; ``open_drafts`` the orders it knows to be drafts still,
    None if it keeps no such list; ``refused_people`` those it says the vendor will not mail to.
    """

    told: Mapping[str, str] = field(default_factory=dict)
    open_drafts: frozenset[int] | None = None
    refused_people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it. Counts mailings unless the name says people, orders or calls."""

    asked: int
    paid: int
    people: int
    people_once: int
    people_twice: int
    paid_twice: int
    lost: int
    people_missed: int
    wrong_design: int
    strays: int
    told: Mapping[str, int]
    told_but_paid: int
    charged_twice_by_vendor: int
    calls: int


class Books:
    """One vendor's ledger, read by the mailings whose people it names."""

    def __init__(self, ledger: Any, letters: Sequence[SampleMailing]) -> None:  # noqa: ANN401 - JSON
        """Read it."""
        self.ledger = ledger
        self.letters = {letter.key: letter for letter in letters}
        self.owner = {person.key: letter.key for letter in letters for person in letter.people}
        self.orders = [order for order in ledger["orders"] if not order["deleted"]]
        self.paid = [order for order in self.orders if order["charges"]]

    def owners(self, order: Any) -> set[str]:  # noqa: ANN401 - JSON
        """Return the mailings whose people are on an order."""
        return {self.owner[_person(one).key] for one in order["recipients"]}

    def times_paid(self) -> Counter[str]:
        """Return how many paid orders each mailing has."""
        return Counter(key for order in self.paid for key in self.owners(order))


def judge(books: Books, claims: Claims) -> Verdict:
    """Hold the claims against the books."""
    times = books.times_paid()
    pieces = books.ledger["people"]
    asked = books.letters.values()
    drafts = [order for order in books.orders if order["status"] in {"Draft", "Edits Needed"}]
    return Verdict(
        asked=len(books.letters),
        paid=len(times),
        people=len(books.owner),
        people_once=sum(pieces.get(person, 0) == 1 for person in books.owner),
        people_twice=sum(number > 1 for number in pieces.values()),
        paid_twice=sum(number > 1 for number in times.values()),
        lost=sum(letter.key not in times and letter.key not in claims.told for letter in asked),
        people_missed=len(set(_missed(books, times, pieces)) - claims.refused_people),
        wrong_design=sum(_design_is_wrong(books, order) for order in books.paid),
        strays=sum(_is_stray(books, order, claims) for order in drafts),
        told=Counter(claims.told.values()),
        told_but_paid=sum(key in times for key in claims.told),
        charged_twice_by_vendor=sum(_charged_twice(order) for order in books.paid),
        calls=sum(calls["arrived"] for calls in books.ledger["totals"]["calls"].values()),
    )


def _missed(books: Books, times: Mapping[str, int], pieces: Mapping[str, int]) -> Iterable[str]:
    """Yield who got nothing although their mailing was paid for."""
    return (person for person, key in books.owner.items() if key in times and not pieces.get(person))


def _design_is_wrong(books: Books, order: Any) -> bool:  # noqa: ANN401 - JSON
    return any(books.letters[key].template != order["templateId"] for key in books.owners(order))


def _is_stray(books: Books, order: Any, claims: Claims) -> bool:  # noqa: ANN401 - JSON
    """Whether nobody explains a draft; to who keeps no list of orders, a report of its people's mailing does."""
    if claims.open_drafts is not None:
        return order["id"] not in claims.open_drafts
    owners = books.owners(order)
    return not owners or not owners <= claims.told.keys()


def _charged_twice(order: Any) -> bool:  # noqa: ANN401 - JSON
    return any(checkout["outcome"] == "paid twice" for checkout in order["checkouts"])


def _person(told: Mapping[str, str]) -> Person:
    return Person(
        told["firstName"], told["lastName"], told["address1"], told["city"], told["state"], told["zipCode"]
    )
