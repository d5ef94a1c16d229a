"""How far a long list is read: a line now and then, so that minutes do not look like a standstill."""

from typing import Final

from console.output import print_note
from intake.csv.preview import Progress

EACH: Final = 100_000
"""Rows. A few seconds' worth; a list of the usual length is done before there is anything to say."""


def told(what: str) -> Progress:
    """Return what is told of the rows read, and says so under this name every hundred thousand."""
    said = 0

    def tell(rows: int) -> None:
        nonlocal said
        if rows // EACH > said:
            said = rows // EACH
            print_note(f"{what}: {rows:,} rows")

    return tell
