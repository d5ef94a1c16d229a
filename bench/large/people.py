"""A crowd of made-up people, all different, as a spreadsheet would hold them."""

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

HEADINGS: Final = (
    *("First name", "Last name", "Company", "Address 1", "Address 2", "City", "State", "ZIP"),
    *("Email", "Customer ID", "Custom 1"),
)

_FIRST: Final = (
    *("Ann", "Bert", "Carla", "Dinesh", "Eve", "Frank", "Grace", "Hal", "Ines", "José"),
    *("Kim", "Lou", "Mary", "Ned", "Ola", "Pat", "Quinn", "Ruth", "Sam"),
)
_SYLLABLES: Final = (
    "ba",
    "der",
    "fi",
    "gar",
    "hol",
    "jen",
    "kin",
    "lo",
    "mar",
    "nov",
    "per",
    "sen",
    "ton",
    "vil",
)
_STREETS: Final = (
    *("Main Street", "Oak Avenue", "Hill Rd", "N Lake Shore Drive", "Martin Luther King Jr Blvd", "2nd St"),
    *("Elm St", "County Road", "Maple Court", "Washington Pkwy", "Church Lane", "Old Mill Road"),
)
_PLACES: Final = (
    *(("Springfield", "IL", "62701"), ("Boston", "MA", "02108"), ("Austin", "TX", "78701")),
    *(("San Juan", "PR", "00901"), ("Denver", "CO", "80202"), ("Portland", "OR", "97201")),
    *(("Reno", "NV", "89501"), ("Tampa", "FL", "33602"), ("Newark", "NJ", "07102-1234")),
)


def write(path: Path, rows: int, seed: int) -> None:
    """Write this many people to a CSV file, one a row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(people(rows, seed))


def people(rows: int, seed: int) -> Iterator[tuple[str, ...]]:
    """Yield this many people; every third lives in a flat, every tenth is reached at work."""
    dice = Random(seed)
    for number in range(rows):
        first, last = dice.choice(_FIRST), "".join(dice.choices(_SYLLABLES, k=3)).title()
        city, state, zip_code = dice.choice(_PLACES)
        yield (
            first,
            last,
            "Acme Widgets, Inc." if number % 10 == 0 else "",
            f"{number + 1} {dice.choice(_STREETS)}",
            f"Apt {number % 97}" if number % 3 == 0 else "",
            city,
            state,
            zip_code,
            f"{first}.{last}{number}@example.com".lower().replace("'", ""),
            f"C-{number:07}",
            f"Gift {number % 50}",
        )
