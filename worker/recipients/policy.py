"""Whom a mailing spares: the lists it obeys, a frequency cap, one piece for a household."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from models import CapPer

_CAP: Final = re.compile(r"(\d{1,4})/(\d{1,4})(?:/(person|address))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """At most so many pieces for a person, or for an address, in any so many days."""

    pieces: int
    days: int
    per: CapPer = CapPer.PERSON

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cap that `2/30` or `2/30/address` says; raises ValueError for anything else."""
        match = _CAP.fullmatch(text.strip())
        if match is None or not (int(match[1]) and int(match[2])):
            raise ValueError("must be pieces/days, such as 2/30, or pieces/days/address")
        return cls(int(match[1]), int(match[2]), CapPer(match[3] or CapPer.PERSON))

    def __str__(self) -> str:
        return f"{self.pieces}/{self.days}/{self.per}"

    @property
    def words(self) -> str:
        """Return it as it is said of somebody who reached it."""
        return f"{self.pieces} in {self.days} days for one {self.per}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientPolicy:
    """What a mailing is opened with: the names of lists beside do-not-mail, a cap of its own, the household rule."""

    lists: tuple[str, ...] = ()
    cap: FrequencyCap | None = None
    one_per_household: bool = False

    def columns(self) -> dict[str, Any]:
        """Return the values of a mailing's row that say the same."""
        return {
            "suppress": list(self.lists),
            "cap_pieces": self.cap and self.cap.pieces,
            "cap_days": self.cap and self.cap.days,
            "cap_per": self.cap and self.cap.per,
            "one_per_household": self.one_per_household,
        }

    def told(self) -> Mapping[str, Any]:
        """Return what differs from sparing nobody but who is on do-not-mail, as JSON knows it."""
        said = {
            "suppress": sorted(self.lists),
            "cap": self.cap and str(self.cap),
            "one_per_household": self.one_per_household,
        }
        return {name: value for name, value in said.items() if value}


DO_NOT_MAIL_ONLY: Final = RecipientPolicy()
