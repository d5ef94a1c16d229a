"""The due scan: wakes due mailings by pushing their chains, and keeps only a window of messages in the broker."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from math import ceil
from typing import Final, TypeAlias

from models import Priority, Stage
from worker import transitions
from worker.context import MESSAGE_THREADS, WorkerContext
from worker.engine.pipeline import CHAIN
from worker.engine.run_budget import MESSAGE_BATCH_SIZE
from worker.prefetch import SETTLE_BATCH_SIZE
from worker.transitions import DueMailing

Backlog: TypeAlias = Callable[[Priority], int]
Push: TypeAlias = Callable[[Priority, Stage, Sequence[int]], None]
# As many messages as two workers take at once: no mailing waits for another while a thread may be free.
MIN_MESSAGES: Final = 2 * MESSAGE_THREADS


def run_once(context: WorkerContext, now: datetime, backlog: Backlog, push: Push) -> int:
    """Push the chains of all due mailings that their window has room for, events first; returns how many.

    A message lost after this is pushed again once ``push_again`` has passed. Nothing here may be relied on to
    happen once: two beats, or two scans at once, push a mailing twice at worst, and its row sees to the rest.
    """
    pushed = 0
    for priority in sorted(Priority):
        room = context.settings.dispatch_window - backlog(priority) * MESSAGE_BATCH_SIZE
        if room <= 0:
            continue
        with context.engine.begin() as connection:
            due = transitions.wake_due(connection, priority, now, room, context.redispatch_after)
        for stage, mailing_ids in _messages(due):
            push(priority, stage, mailing_ids)
        pushed += len(due)
    return pushed


def _messages(due: Sequence[DueMailing]) -> Iterator[tuple[Stage, Sequence[int]]]:
    """Yield the messages for due mailings: one for several of a stage, if more are due than can be begun at once."""
    alike: dict[Stage, list[int]] = defaultdict(list)
    for mailing in due:
        if mailing.alone:
            yield mailing.stage, [mailing.id]
        else:
            alike[mailing.stage].append(mailing.id)
    for stage, ids in alike.items():
        size = (
            SETTLE_BATCH_SIZE
            if stage is Stage.SETTLE
            else min(MESSAGE_BATCH_SIZE, ceil(len(ids) / MIN_MESSAGES))
        )
        for start in range(0, len(ids), size):
            yield stage, ids[start : start + size]


def rest_of_chain(stage: Stage) -> tuple[Stage, ...]:
    """Return the stages that a mailing at this one is pushed for: the rest of the chain, or settle alone."""
    return CHAIN[CHAIN.index(stage) :] if stage in CHAIN else (stage,)
