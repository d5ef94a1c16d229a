"""Samples of what a template will print: two values of each merge field that is filled."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from intake.recipients.rows import MERGE, RecipientRow

SAMPLES: Final = 2
_MOST_BLOCKS: Final = 20
"""A field with one value in so many blocks of rows has hardly another."""


@dataclass(slots=True)
class Samples:
    """Collects values from people on their way; `headings` are the columns of the merge fields."""

    headings: Mapping[str, str] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict, repr=False)
    _blocks: dict[str, int] = field(default_factory=dict, repr=False)

    def take(self, people: Sequence[RecipientRow]) -> None:
        """Take values of a block's people, where there are still too few."""
        wanted = [name for name in self.headings if self._blocks.get(name, 0) < _MOST_BLOCKS]
        if not wanted or not people:
            return
        together = b"".join(person[MERGE] for person in people)
        for name in wanted:
            if f'"{name}": '.encode() in together:
                self._blocks[name] = self._blocks.get(name, 0) + 1
                self._fill(name, people)

    def filled(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return each filled merge field with its heading and its samples."""
        return [
            (name, self.headings[name], tuple(self.values[name]))
            for name in self.headings
            if name in self.values
        ]

    def _fill(self, name: str, people: Iterable[RecipientRow]) -> None:
        values = self.values.setdefault(name, [])
        for person in people:
            value = json.loads(person[MERGE][1:]).get(name)
            if value and value not in values:
                values.append(value)
            if len(values) >= SAMPLES:
                self._blocks[name] = _MOST_BLOCKS
                return
