"""Writing a campaign: its people are cut into mailings as they come, and a portion is written while the next is read.

PostgreSQL takes a third of the time to store a person that it takes to read and check one, and a COPY of several
thousand costs it half of what it costs by the thousand: so people are gathered, and another thread waits for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy import Connection

from intake.campaigns.batches import Batch, write_batches, write_rejected
from intake.csv.importer import ImportedBlock, RejectedRow
from intake.recipients.rows import RecipientRow
from worker.transitions import NewMailing

_PEOPLE_AT_ONCE: Final = 5_000


Screen: TypeAlias = Callable[[list[RecipientRow]], tuple[list[RecipientRow], Sequence[RejectedRow]]]
"""Divides people into those to write and those to leave out. It may use the connection that is written on."""


class _WriteBatch(NamedTuple):
    """Mailings and rejected rows that are written at once."""

    batches: list[Batch]
    rejected: list[RejectedRow]


class CampaignWriter:
    """Writes the mailings of one campaign, each after one pattern, inside the caller's transaction.

    While `write` is at work the connection is its own; `screen` is called while nothing is being written.
    """

    def __init__(
        self,
        connection: Connection,
        campaign_id: int,
        pattern: NewMailing,
        size: int,
        screen: Screen,
        now: datetime,
    ) -> None:
        """Keep the pattern of all mailings, how many people one has, and how people are screened."""
        self.mailings = 0
        self._connection = connection
        self._campaign_id = campaign_id
        self._pattern = pattern
        self._size = size
        self._screen = screen
        self._now = now
        self._left: list[RecipientRow] = []

    def write(self, blocks: Iterable[ImportedBlock]) -> None:
        """Write all people, the last and smaller mailing included; raises what reading or writing raises."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="write") as hand:
            writing: Future[None] | None = None
            for found in self._gathered(blocks):
                if writing is not None:
                    writing.result()
                writing = hand.submit(self._write, self._portion(found))
            if writing is not None:
                writing.result()
        self._write(_WriteBatch(self._batches(self._left), []))

    def _gathered(self, blocks: Iterable[ImportedBlock]) -> Iterator[ImportedBlock]:
        gathered = ImportedBlock([], [])
        for found in blocks:
            gathered.people.extend(found.people)
            gathered.rejected.extend(found.rejected)
            if len(gathered.people) + len(gathered.rejected) >= max(_PEOPLE_AT_ONCE, self._size):
                yield gathered
                gathered = ImportedBlock([], [])
        yield gathered

    def _portion(self, found: ImportedBlock) -> _WriteBatch:
        """Return whole mailings of the people who are not left out; the rest waits for the next portion."""
        kept, left_out = self._screen(found.people)
        people = self._left + kept
        whole = len(people) - len(people) % self._size
        self._left = people[whole:]
        return _WriteBatch(self._batches(people[:whole]), [*found.rejected, *left_out])

    def _batches(self, people: list[RecipientRow]) -> list[Batch]:
        return [self._batch(people[at : at + self._size]) for at in range(0, len(people), self._size)]

    def _batch(self, people: list[RecipientRow]) -> Batch:
        number = self.mailings
        self.mailings += 1
        key = f"{self._pattern.key}:{number}"
        return Batch(replace(self._pattern, key=key, size=len(people), batch=number), people)

    def _write(self, portion: _WriteBatch) -> None:
        if portion.batches:
            write_batches(self._connection, portion.batches, self._now)
        if portion.rejected:
            write_rejected(self._connection, self._campaign_id, portion.rejected)
