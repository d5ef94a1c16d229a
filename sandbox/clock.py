"""The sandbox's own time: real time, sped up and pushed forward."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Sandbox time was `sandbox` when real time was `real`, and runs `speed` times as fast since then.

    All three count in seconds; both times are Unix timestamps. The clock goes on while the server is down.
    """

    real: float
    sandbox: float
    speed: float = 1.0

    def at(self, real: float) -> float:
        """Return the sandbox time, a Unix timestamp, at this real time."""
        return self.sandbox + (real - self.real) * self.speed

    def moved(self, real: float, *, advance: float = 0.0, speed: float | None = None) -> "Clock":
        """Return a clock that jumps `advance` sandbox seconds now and goes on at `speed`."""
        return Clock(real, self.at(real) + advance, self.speed if speed is None else speed)


def moment(timestamp: float) -> datetime:
    """Return a timestamp as an aware UTC datetime."""
    return datetime.fromtimestamp(timestamp, UTC)


def text(timestamp: float | None) -> str | None:
    """Return a timestamp as the vendor writes a datetime, in UTC to the second."""
    return None if timestamp is None else moment(timestamp).strftime("%Y-%m-%dT%H:%M:%SZ")
