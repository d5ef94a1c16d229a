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


def run(work: StageJob) -> Result:
    """Create the order; a template that LettrLabs does not know ends the mailing, for nothing was made."""
    work.hold_on()
    answer = work.vendor.create_order(work.held.template_id)
    match answer:
        case Accepted(order_id):
            work.saw.made_order = True
            return Advance(Stage.ATTACH, {"order_id": order_id}, Effect(registry.register_orders, order_id))
        case NotSent():
            return wait_for_vendor(work, answer)
        case Rejected(status=400):
            return Failed(
                "create_refused", f"LettrLabs refused template {work.held.template_id}: {answer.words}"
            )
        case Rejected():
            return handle_rejection(work, answer)
        case Unknown(why):
            return OutcomeUnknown(f"the answer to the create is not known: {why}")


def recover(work: StageJob) -> Result:
    """Find the draft that the lost create may have made, or make sure that it stays without effect."""
    if not account_ownership.is_exclusive(work, work.settings):
        return _leave(work, finder.find_orphans(work, above=work.held.order_fence or 0).empty)
    if not create_gate.close_gate(work):
        return _at_the_gate(work, "another lost create is being found out")
    if create_gate.creates_in_flight(work):
        return _at_the_gate(work, "waits for creates under way to end")
    return _settle(work)


def _at_the_gate(work: StageJob, why: str) -> Wait:
    """Wait without a look: what earlier looks did not show stays as old as it is."""
    return Wait(GATE_RETRY_SECONDS, why, missing_since=work.held.missing_since)


def _settle(work: StageJob) -> Result:
    """Adopt a draft of a lost create; where none is usable, delete them after the window and create anew.

    No create is under way, so each unexplained draft is of a lost create.
    """
    drafts = finder.find_orphans(work, above=work.held.order_fence or 0)
    found = drafts.empty
    contradicted = account_ownership.note_filled_drafts(work, work.settings, drafts.filled)
    if contradicted or len(found) > finder.lost_creates(work):
        # Drafts of another program are among them: the hourly look judges those that stay empty.
        return _leave(work, found, create_gate.open_gate)
    condemned = finder.marked_for_deletion(work, found)
    left = [order_id for order_id in found if order_id not in condemned]
    if left and finder.is_interchangeable(work):
        return _adopt(work, left[0])
    hidden = _hidden(work, create_gate.open_gate)
    if hidden is not None:
        return hidden
    # Draft orders of creates lost within the window are left for the recovery of those creates, or the sweep.
    doomed = found if finder.none_lost_within_window(work) else sorted(condemned)
    for order_id in doomed:
        # A deletion that fails is repeated by the sweep: no create uses a condemned draft.
        registry.delete_draft(work, order_id, "left by a lost create")
    suspect = registry.report_effect(work, [order_id for order_id in left if order_id not in doomed])
    return Continue(
        "nothing is left of the lost create", record=_together(work, suspect, create_gate.open_gate)
    )


def _leave(work: StageJob, drafts: list[int], also: _OnLeaving | None = None) -> Result:
    """List the drafts as suspects and create anew: a stray empty draft costs nothing and mails nothing."""
    hidden = _hidden(work, also)
    if hidden is not None:
        return hidden
    record = _together(work, registry.report_effect(work, drafts), also)
    return Continue("the account may be shared: a stray draft may be left", record=record)


def _hidden(work: StageJob, also: _OnLeaving | None) -> Wait | None:
    """Return a wait while the draft of the lost create may still appear, None once its absence is evidence.

    The gate opens meanwhile: an answered create is known by its order id.
    """
    hidden = visibility.wait(work, "waits until the draft of a lost create would be visible")
    return None if hidden is None else replace(hidden, record=_together(work, None, also))


def _together(
    work: StageJob, record: Callable[[Connection], None] | None, also: _OnLeaving | None
) -> Callable[[Connection], None]:
    def write(connection: Connection) -> None:
        if record is not None:
            record(connection)
        if also is not None:
            also(connection, work)

    return write


def _adopt(work: StageJob, order_id: int) -> Result:
    def record(connection: Connection) -> None:
        registry.adopt(connection, order_id, work.now())
        create_gate.open_gate(connection, work)

    return Advance(Stage.ATTACH, {"order_id": order_id}, record)


def delete_late_order(work: StageJob, order_id: int) -> None:
    """Delete the order of a claim that was lost meanwhile, unless somebody uses it by now."""
    registry.delete_draft(work, order_id, "answered after its claim was lost")
