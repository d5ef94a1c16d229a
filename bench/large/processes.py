"""The processes that work on the campaign, as in production, and what they take up meanwhile."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.process_monitor import Watched
from bench.processes import ProcessGroup

_READY: Final = "ready."


def highest(env: Mapping[str, str], directory: Path, seconds: float) -> dict[str, float]:
    """Let a worker and a beat work for a while; returns the highest megabytes of each."""
    celery = (sys.executable, "-m", "celery", "-A", "worker")
    with ProcessGroup() as troop:
        worker = _process("worker", (*celery, "worker", "--loglevel", "INFO"), env, directory)
        beat = _process("beat", (*celery, "beat"), env, directory)
        troop.add(worker)
        troop.add(beat)
        worker.wait_for(_READY)
        time.sleep(seconds)
        return {one.name: one.footprint.highest_megabytes for one in (worker, beat)}


def _process(name: str, command: tuple[str, ...], env: Mapping[str, str], directory: Path) -> Watched:
    return Watched(name, command, env, directory / f"{name}.log", keep=False)
