"""The due scan: wakes due mailings by pushing their chains, and keeps only a window of messages in the broker."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from models import Priority, Stage
from worker import moves
from worker.desk import Desk
from worker.moves import Due
from worker.pipeline import CHAIN

Backlog: TypeAlias = Callable[[Priority], int]
Push: TypeAlias = Callable[[Priority, Due], None]


def run_once(desk: Desk, now: datetime, backlog: Backlog, push: Push) -> int:
    """Push the chain of every due mailing that its window has room for, events first; returns how many.

    A message lost after this is pushed again once ``push_again`` has passed. Nothing here may be relied on to
    happen once: two beats, or two scans at once, push a mailing twice at worst, and its row sees to the rest.
    """
    pushed = 0
    for priority in sorted(Priority):
        room = desk.settings.dispatch_window - backlog(priority)
        if room <= 0:
            continue
        with desk.engine.begin() as connection:
            due = moves.wake_due(connection, priority, now, room, desk.push_again)
        for mailing in due:
            push(priority, mailing)
        pushed += len(due)
    return pushed


def rest_of_chain(stage: Stage) -> tuple[Stage, ...]:
    """Return the stages that a mailing at this one is pushed for: the rest of the chain, or settle alone."""
    return CHAIN[CHAIN.index(stage) :] if stage in CHAIN else (stage,)
