"""A process that is looked at while it works."""

from bench.memory_usage import Footprint
from bench.processes import Process


class Watched(Process):
    """As every process of a bench, and its footprint."""

    @property
    def footprint(self) -> Footprint:
        """What it takes up now; raises RuntimeError if it has ended."""
        if self._running is None or self._running.poll() is not None:
            raise RuntimeError(f"{self.name} has ended: {self.log.read_text(errors='replace')[-2000:]}")
        return Footprint.of(self._running.pid)
