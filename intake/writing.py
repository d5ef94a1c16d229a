"""Writing a campaign: its people are cut into mailings as they come, and a portion is written while the next is read.

PostgreSQL takes a third of the time to store a person that it takes to read and check one, and a COPY of several
thousand costs it half of what it costs by the thousand: so people are gathered, and another thread waits for it.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from intake.batches import Batch, write_batches, write_rejected
from intake.mailable import Person
from intake.people import Found, Rejected
from worker.moves import NewMailing

_PEOPLE_AT_ONCE: Final = 5_000


class _Portion(NamedTuple):
    """What is written together."""

    batches: list[Batch]
    rejected: list[Rejected]


class Writer:
    """Writes the mailings of one campaign, each after one pattern, inside the caller's transaction.

    While `write` is at work the connection is nobody else's.
    """

    def __init__(
        self, connection: Connection, campaign_id: int, pattern: NewMailing, size: int, now: datetime
    ) -> None:
        """Say what all mailings are like, and how many people one has."""
        self.mailings = 0
        self._connection = connection
        self._campaign_id = campaign_id
        self._pattern = pattern
        self._size = size
        self._now = now

    def write(self, blocks: Iterable[Found]) -> None:
        """Write everybody, the last and smaller mailing included; raises what reading or writing raises."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="write") as hand:
            writing: Future[None] | None = None
            for portion in self._portions(blocks):
                if writing is not None:
                    writing.result()
                writing = hand.submit(self._write, portion)
            if writing is not None:
                writing.result()

    def _portions(self, blocks: Iterable[Found]) -> Iterator[_Portion]:
        people: list[Person] = []
        rejected: list[Rejected] = []
        for found in blocks:
            people += found.people
            rejected += found.rejected
            if len(people) + len(rejected) >= max(_PEOPLE_AT_ONCE, self._size):
                whole = len(people) - len(people) % self._size
                yield _Portion(self._batches(people[:whole]), rejected)
                people, rejected = people[whole:], []
        yield _Portion(self._batches(people), rejected)

    def _batches(self, people: list[Person]) -> list[Batch]:
        return [self._batch(people[at : at + self._size]) for at in range(0, len(people), self._size)]

    def _batch(self, people: list[Person]) -> Batch:
        number = self.mailings
        self.mailings += 1
        key = f"{self._pattern.key}:{number}"
        return Batch(replace(self._pattern, key=key, size=len(people), batch=number), people)

    def _write(self, portion: _Portion) -> None:
        if portion.batches:
            write_batches(self._connection, portion.batches, self._now)
        if portion.rejected:
            write_rejected(self._connection, self._campaign_id, portion.rejected)
