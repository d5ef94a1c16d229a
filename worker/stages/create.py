"""Create the order: an empty draft, which costs nothing and mails nothing.

Every POST makes another draft, and none can be marked as ours (LettrLabs, Order of operations). So an answer
that got lost is found out by looking for a draft that nothing else explains, while no other create runs.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy import Connection

from lettrlabs import Accepted, NotSent, Rejected, Unknown
from models import Stage
from worker.job import StageJob
from worker.orphans import account_ownership, create_gate, finder, registry
from worker.results import Advance, Continue, Effect, Failed, OutcomeUnknown, Result, Wait
from worker.stages.vendor import visibility
from worker.stages.vendor.failures import handle_rejection, wait_for_vendor

GATE_RETRY_SECONDS = 1.0
_OnLeaving: TypeAlias = Callable[[Connection, StageJob], None]


def run(job: StageJob) -> Result:
    """Create the order; a template that LettrLabs does not know ends the mailing, for nothing was made."""
    job.ensure_lease()
    answer = job.vendor.create_order(job.mailing.template_id)
    match answer:
        case Accepted(order_id):
            job.snapshot.created_by_this_claim = True
            return Advance(Stage.ATTACH, {"order_id": order_id}, Effect(registry.register_orders, order_id))
        case NotSent():
            return wait_for_vendor(job, answer)
        case Rejected(status=400):
            return Failed(
                "create_refused", f"LettrLabs refused template {job.mailing.template_id}: {answer.words}"
            )
        case Rejected():
            return handle_rejection(job, answer)
        case Unknown(why):
            return OutcomeUnknown(f"the answer to the create is not known: {why}")


def recover(job: StageJob) -> Result:
    """Find the draft that the lost create may have made, or make sure that it stays without effect."""
    if not account_ownership.is_exclusive(job, job.settings):
        return _leave(job, finder.find_orphans(job, above=job.mailing.order_fence or 0).empty)
    if not create_gate.close_gate(job):
        return _at_the_gate(job, "another lost create is being found out")
    if create_gate.creates_in_flight(job):
        return _at_the_gate(job, "waits for creates under way to end")
    return _settle(job)


def _at_the_gate(job: StageJob, why: str) -> Wait:
    """Wait without a look: what earlier looks did not show stays as old as it is."""
    return Wait(GATE_RETRY_SECONDS, why, missing_since=job.mailing.missing_since)


def _settle(job: StageJob) -> Result:
    """Adopt a draft of a lost create; where none is usable, delete them after the window and create anew.

    No create is under way, so each unexplained draft is of a lost create.
    """
    drafts = finder.find_orphans(job, above=job.mailing.order_fence or 0)
    found = drafts.empty
    contradicted = account_ownership.note_filled_drafts(job, job.settings, drafts.filled)
    if contradicted or len(found) > finder.lost_creates(job):
        # Drafts of another program are among them: the hourly look judges those that stay empty.
        return _leave(job, found, create_gate.open_gate)
    condemned = finder.marked_for_deletion(job, found)
    left = [order_id for order_id in found if order_id not in condemned]
    if left and finder.is_interchangeable(job):
        return _adopt(job, left[0])
    hidden = _hidden(job, create_gate.open_gate)
    if hidden is not None:
        return hidden
    # Draft orders of creates lost within the window are left for the recovery of those creates, or the sweep.
    doomed = found if finder.none_lost_within_window(job) else sorted(condemned)
    for order_id in doomed:
        # A deletion that fails is repeated by the sweep: no create uses a condemned draft.
        registry.delete_draft(job, order_id, "left by a lost create")
    suspect = registry.report_effect(job, [order_id for order_id in left if order_id not in doomed])
    return Continue(
        "nothing is left of the lost create", record=_together(job, suspect, create_gate.open_gate)
    )


def _leave(job: StageJob, drafts: list[int], also: _OnLeaving | None = None) -> Result:
    """List the drafts as suspects and create anew: a stray empty draft costs nothing and mails nothing."""
    hidden = _hidden(job, also)
    if hidden is not None:
        return hidden
    record = _together(job, registry.report_effect(job, drafts), also)
    return Continue("the account may be shared: a stray draft may be left", record=record)


def _hidden(job: StageJob, also: _OnLeaving | None) -> Wait | None:
    """Return a wait while the draft of the lost create may still appear, None once its absence is evidence.

    The gate opens meanwhile: an answered create is known by its order id.
    """
    hidden = visibility.wait(job, "waits until the draft of a lost create would be visible")
    return None if hidden is None else replace(hidden, record=_together(job, None, also))


def _together(
    job: StageJob, record: Callable[[Connection], None] | None, also: _OnLeaving | None
) -> Callable[[Connection], None]:
    def write(connection: Connection) -> None:
        if record is not None:
            record(connection)
        if also is not None:
            also(connection, job)

    return write


def _adopt(job: StageJob, order_id: int) -> Result:
    def record(connection: Connection) -> None:
        registry.adopt(connection, order_id, job.now())
        create_gate.open_gate(connection, job)

    return Advance(Stage.ATTACH, {"order_id": order_id}, record)


def delete_late_order(job: StageJob, order_id: int) -> None:
    """Delete the order of a claim that was lost meanwhile, unless somebody uses it by now."""
    registry.delete_draft(job, order_id, "answered after its claim was lost")
