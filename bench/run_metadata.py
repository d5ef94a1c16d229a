"""The occasion of a run: the figures of a benchmark mean something only with its command, day and machine."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def tell(command: str) -> None:
    """Print what was run, when, and on what."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    day = f"{datetime.now(UTC):%d %B %Y}"
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    print(
        f"{command}: {day}, {cores} cores of {_processor()}, Python {platform.python_version()}, load {load}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
