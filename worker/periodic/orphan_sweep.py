"""The hourly look for strays: drafts that no mailing explains are listed, and on an exclusive account deleted.

A draft of a create under way is unexplained for a moment, so one is deleted only once it was seen in two looks,
half an hour or more apart. The sweep is the net below the recovery of lost creates, not a part of it.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete

from lettrlabs import CallRecord, LettrLabs
from models import OrphanOrder, OrphanStatus
from worker.audit import journal
from worker.context import WorkerContext
from worker.orphans import account_ownership, finder, registry
from worker.settings import Settings

log = logging.getLogger(__name__)

_SIGHTINGS = 2


@dataclass
class SweepRun:
    """One look, with a journal of its own."""

    engine: Engine
    vendor: LettrLabs
    at: datetime

    def now(self) -> datetime:
        """Return the time of this look."""
        return self.at


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a look found, and what it deleted: order ids."""

    found: tuple[int, ...]
    deleted: tuple[int, ...]


def run_once(context: WorkerContext, now: datetime) -> SweepResult:
    """Look once. Raises Unavailable, Refused: then nothing was counted, and the next look does it."""
    calls: list[CallRecord] = []
    look = SweepRun(context.engine, context.vendor.observed(calls.append), now)
    try:
        account_ownership.look_at_orders(look, context.settings)
        drafts = finder.find_orphans(look)
        account_ownership.note_filled_drafts(look, context.settings, drafts.filled)
        found = drafts.empty
        ripe = _count(look, found) if found else []
        doomed = _doomed(look, context.settings, found, ripe)
        deleted = [
            one
            for one in sorted(doomed)
            if registry.delete_draft(look, one, "seen twice, explained by nothing")
        ]
        _forget_gone(look, found)
    finally:
        with context.engine.begin() as connection:
            journal.save_calls(connection, calls, None, None, None)
    if found:
        log.warning("strays_found: %d drafts that no mailing explains, %d deleted", len(found), len(deleted))
    return SweepResult(tuple(found), tuple(deleted))


def _doomed(look: SweepRun, settings: Settings, found: Iterable[int], ripe: Iterable[int]) -> set[int]:
    """Return the drafts to delete. Once the account passes for shared, they must be in the journal as our own."""
    condemned = finder.marked_for_deletion(look, found)
    if account_ownership.is_contradicted(look):
        return finder.made_here(look, condemned)
    return condemned | set(ripe) if settings.owns_account else condemned


def _count(look: SweepRun, found: Iterable[int]) -> list[int]:
    with look.engine.begin() as connection:
        sightings = {
            one: registry.record_sighting(connection, one, "no mailing explains it", look.at) for one in found
        }
    return [one for one, times in sightings.items() if times >= _SIGHTINGS]


def _forget_gone(look: SweepRun, found: Iterable[int]) -> None:
    """Forget strays that this look does not show as empty drafts: if one shows again, it is counted anew."""
    gone = delete(OrphanOrder).where(
        OrphanOrder.fate == OrphanStatus.SEEN, OrphanOrder.order_id.not_in(list(found))
    )
    with look.engine.begin() as connection:
        connection.execute(gone)
