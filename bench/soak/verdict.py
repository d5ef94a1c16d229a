"""Whether a figure grows: a line through the last two thirds of a run, held against what it wobbles by itself."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SHARE: Final = 0.05
"""Of its level: what a figure may differ by from one third to the next without anybody calling it growth."""
_WOBBLES: Final = 2.0
"""Standard deviations about the line."""
_LEAST_READINGS: Final = 4


@dataclass(frozen=True, slots=True)
class Trend:
    """How much a figure rises from the second third of a run to the last, and how much it may, in its own unit."""

    level: float
    rise: float
    allowed: float

    @property
    def grows(self) -> bool:
        """Whether it rises by more than it may."""
        return self.rise > self.allowed


def trend(seconds: Sequence[float], figures: Sequence[float], floor: float) -> Trend:
    """Fit a line through the last two thirds; ``floor`` is a difference that is nothing, whatever the level.

    Raises ValueError for a run of too few readings to say anything.
    """
    first = len(figures) // 3
    times, values = seconds[first:], figures[first:]
    if len(values) < _LEAST_READINGS:
        raise ValueError(f"{len(figures)} readings are too few to judge: run for longer")
    slope, start = statistics.linear_regression(times, values)
    wobble = statistics.pstdev(value - (start + slope * at) for at, value in zip(times, values, strict=True))
    level = statistics.median(values)
    # The middles of two thirds lie half of both apart.
    rise = slope * (times[-1] - times[0]) / 2
    return Trend(level, rise, max(floor, _SHARE * abs(level), _WOBBLES * wobble))
