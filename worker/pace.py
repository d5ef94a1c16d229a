"""The pace of a worker process: how far it runs ahead of the chain, and whether the vendor is slow."""

import time
from dataclasses import dataclass
from typing import Final

# As many as share a commit at most: beyond it little is saved, and a crash leaves more to be found out.
ABREAST: Final = 8
# What takes longer is mostly waiting, which threads can do together; contention on a busy machine alone is less.
SLOW_SECONDS: Final = 0.1


@dataclass(slots=True)
class Pace:
    """How far a worker may run ahead of the chain: not once it is stopping, nor for so long that events must wait."""

    seconds: float = 5.0
    stopping: bool = False
    _turn: float = 0.0

    def allows(self, started: float) -> bool:
        """Return whether the next stage may be done in the same breath."""
        return not self.stopping and time.monotonic() - started < self.seconds

    @property
    def is_slow(self) -> bool:
        """Whether a stage has taken so long lately that several had better wait for the vendor together."""
        return self._turn > SLOW_SECONDS

    def took(self, seconds: float) -> None:
        """Take note of how long a stage took. Threads may get into each other's way here: it is an estimate."""
        self._turn += (seconds - self._turn) / ABREAST
