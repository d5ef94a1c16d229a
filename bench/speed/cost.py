"""What a stretch of work cost: processor time by layer, and commits."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat after the name in parentheses (proc(5)): state is the first.
_PARENT, _SESSION, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = 1, 3, 11, 12, 13, 14


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    session: int
    seconds: float


def _processes() -> dict[int, _Process]:
    found = {}
    for path in Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks = sum(int(fields[n]) for n in (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM))
        found[int(path.name)] = _Process(int(fields[_PARENT]), int(fields[_SESSION]), ticks / _TICKS_A_SECOND)
    return found


def processor_seconds(roots: Iterable[int]) -> float:
    """Return the processor time so far, in seconds, of these processes, their children, and their sessions."""
    known = _processes()
    mine = {pid for pid in roots if pid in known}
    mine |= {pid for pid, one in known.items() if one.session in mine or one.parent in mine}
    return sum(known[pid].seconds for pid in mine)
