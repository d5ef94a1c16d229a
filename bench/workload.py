"""Made-up mailings: distinct people, a few to a mailing, the same for every contender."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

# Two designs in the second half: a draft that got lost may then not stand for just any other.
TEMPLATES = (1001, 1002)
MOST_PEOPLE = 4


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is to get one piece."""

    first_name: str
    last_name: str
    address1: str
    city: str = "Springfield"
    state: str = "IL"
    zip_code: str = "62701"

    @property
    def key(self) -> str:
        """Who this is in the sandbox's ledger (docs/sandbox.md, The ledger)."""
        parts = (self.first_name, self.last_name, self.address1, "", self.city, self.state, self.zip_code)
        return "|".join(part.lower() for part in parts)


@dataclass(frozen=True, slots=True)
class SampleMailing:
    """One mailing to be: its key and its people, who are in no other."""

    key: str
    template: int
    people: tuple[Person, ...]


def make(count: int, seed: int, most_people: int = MOST_PEOPLE, first: int = 0) -> list[SampleMailing]:
    """Return this many mailings to one to four people each, numbered from ``first``."""
    dice, letters, born = Random(seed), [], first * most_people
    for number in range(count):
        size = dice.randint(1, most_people)
        people = tuple(Person("Pat", f"Person{n}", f"{n + 1} Main Street") for n in range(born, born + size))
        born += size
        template = TEMPLATES[0] if number < count // 2 else dice.choice(TEMPLATES)
        letters.append(SampleMailing(f"letter-{first + number}", template, people))
    return letters


def write(path: Path, letters: Iterable[SampleMailing]) -> None:
    """Write them to a file, one a line."""
    path.write_text("".join(json.dumps(asdict(letter)) + "\n" for letter in letters))


def read(path: Path) -> list[SampleMailing]:
    """Return what `write` wrote."""
    return [_letter(json.loads(line)) for line in path.read_text().splitlines()]


def paced(letters: Iterable[SampleMailing], per_second: float) -> Iterator[SampleMailing]:
    """Yield the letters at this pace, catching up after a hold-up."""
    began = time.monotonic()
    for number, letter in enumerate(letters):
        time.sleep(max(0.0, began + number / per_second - time.monotonic()))
        yield letter


def _letter(told: dict[str, object]) -> SampleMailing:
    people = told["people"]
    if not isinstance(people, list):
        raise TypeError("a letter's people are a list")
    return SampleMailing(str(told["key"]), int(str(told["template"])), tuple(Person(**one) for one in people))
