"""What a process takes up, as its kernel tells; zeroes where there is no /proc."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_KILOBYTES_IN_A_MEGABYTE: Final = 1024


@dataclass(frozen=True, slots=True)
class Footprint:
    """Megabytes now and at their highest since the program began, and open files."""

    megabytes: float
    highest_megabytes: float
    files: int

    @classmethod
    def of(cls, pid: int | str = "self") -> Self:
        """Look at a process; raises FileNotFoundError if there is none, or no /proc."""
        # Not getrusage: its highest is carried over from the program that started this one.
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        told = dict(line.split(":", 1) for line in status if ":" in line)
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return cls(_megabytes(told["VmRSS"]), _megabytes(told["VmHWM"]), files)


def _megabytes(told: str) -> float:
    return int(told.split(maxsplit=1)[0]) / _KILOBYTES_IN_A_MEGABYTE
