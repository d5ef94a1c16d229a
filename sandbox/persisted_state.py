"""The world together with its journal and its clock: what is recorded is remembered, and the other way round."""

import time
from pathlib import Path

from sandbox.clock import Clock
from sandbox.event_log import Journal, StateUnusableError
from sandbox.events import ClockSet, Fact, SettingsChanged
from sandbox.settings import Settings
from sandbox.state import State


class Books:
    """The books in one state directory; opening them replays the journal and shortens it.

    Raises `StateUnusableError` if the directory is in use, cannot be written or holds no journal.
    """

    def __init__(self, directory: Path) -> None:
        self._journal = Journal(directory)
        real = time.time()
        self.world = State(Clock(real, real))
        try:
            self.world.apply(self._journal.read())
        except (KeyError, ValueError):
            raise StateUnusableError(f"the journal in {directory} contradicts itself") from None
        self._journal.restart(self.world.retold())

    def now(self) -> float:
        """Return sandbox time, a Unix timestamp."""
        return self.world.clock.at(time.time())

    def record(self, *facts: Fact) -> None:
        """Write these facts down, all or none, and let them be so."""
        self._journal.append(facts)
        self.world.apply(facts)

    def move_clock(self, *, advance: float = 0.0, speed: float | None = None) -> None:
        """Push sandbox time forward by seconds, or change how fast it runs, or both."""
        clock = self.world.clock.moved(time.time(), advance=advance, speed=speed)
        self.record(ClockSet(clock.real, clock.sandbox, clock.speed))

    def change_settings(self, settings: Settings) -> None:
        """Make these the vendor's manners."""
        self.record(SettingsChanged(settings.model_dump(mode="json")))
