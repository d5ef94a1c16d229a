"""The pace of a worker process: how far it runs ahead of the chain, and whether the vendor is slow."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lettrlabs import CallRecord
from worker.context import SLOW_SECONDS

# As many as a message is of at most: beyond it little is saved, and a crash leaves more to be found out.
MESSAGE_BATCH_SIZE: Final = 8
# Of so many calls no two were quick: contention makes some of them slow, a slow vendor all.
_CALLS: Final = 8


@dataclass(slots=True)
class RunBudget:
    """How far a worker may run ahead of the chain: not once it is stopping, nor for so long that events must wait."""

    seconds: float = 5.0
    stopping: bool = False
    last_calls: tuple[float, ...] = ()

    def allows(self, started: float) -> bool:
        """Return whether the next stage may be done in the same breath."""
        return not self.stopping and time.monotonic() - started < self.seconds

    @property
    def is_slow(self) -> bool:
        """Whether all but one of the last calls took so long that several had better wait together."""
        return len(self.last_calls) == _CALLS and sorted(self.last_calls)[1] >= SLOW_SECONDS

    def took(self, calls: Iterable[CallRecord]) -> None:
        """Take note of how long answered calls took. Threads may get into each other's way: it is an estimate."""
        answered = [call.elapsed_ms / 1000 for call in calls if call.status is not None]
        self.last_calls = (*self.last_calls, *answered)[-_CALLS:]
