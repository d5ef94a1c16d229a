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
from worker.job import Work
from worker.orphans import account_ownership, create_gate, finder, registry
from worker.results import Advance, Again, Fail, Note, Result, Unsure, Wait
from worker.stages.vendor import visibility
from worker.stages.vendor.failures import not_now, refused

_GATE_PAUSE = 1.0
_OnLeaving: TypeAlias = Callable[[Connection, Work], None]


def run(work: Work) -> Result:
    """Create the order; a template that LettrLabs does not know ends the mailing, for nothing was made."""
    work.hold_on()
    answer = work.vendor.create_order(work.held.template_id)
    match answer:
        case Accepted(order_id):
            work.saw.made_order = True
            return Advance(Stage.ATTACH, {"order_id": order_id}, Note(registry.take, order_id))
        case NotSent():
            return not_now(work, answer)
        case Rejected(status=400):
            return Fail(
                "create_refused", f"LettrLabs refused template {work.held.template_id}: {answer.words}"
            )
        case Rejected():
            return refused(work, answer)
        case Unknown(why):
            return Unsure(f"the answer to the create is not known: {why}")


def recover(work: Work) -> Result:
    """Find the draft that the lost create may have made, or make sure that it stays without effect."""
    if not account_ownership.is_exclusive(work, work.settings):
        return _leave(work, finder.unexplained_drafts(work, above=work.held.order_fence or 0).empty)
    if not create_gate.close(work):
        return _at_the_gate(work, "another lost create is being found out")
    if create_gate.calls_in_flight(work):
        return _at_the_gate(work, "waits for creates under way to end")
    return _settle(work)


def _at_the_gate(work: Work, why: str) -> Wait:
    """Wait without a look: what earlier looks did not show stays as old as it is."""
    return Wait(_GATE_PAUSE, why, missing_since=work.held.missing_since)


def _settle(work: Work) -> Result:
    """Adopt a draft of a lost create; where none is usable, delete them after the window and create anew.

    No create is under way, so each unexplained draft is of a lost create.
    """
    drafts = finder.unexplained_drafts(work, above=work.held.order_fence or 0)
    found = drafts.empty
    contradicted = account_ownership.note_filled_drafts(work, work.settings, drafts.filled)
    if contradicted or len(found) > finder.lost_creates(work):
        # Drafts of another program are among them: the hourly look judges those that stay empty.
        return _leave(work, found, create_gate.open_again)
    condemned = finder.condemned(work, found)
    left = [order_id for order_id in found if order_id not in condemned]
    if left and finder.interchangeable(work):
        return _adopt(work, left[0])
    hidden = _hidden(work, create_gate.open_again)
    if hidden is not None:
        return hidden
    # Draft orders of creates lost within the window are left for the recovery of those creates, or the sweep.
    doomed = found if finder.none_lost_within_window(work) else sorted(condemned)
    for order_id in doomed:
        # A deletion that fails is repeated by the sweep: no create uses a condemned draft.
        registry.discard(work, order_id, "left by a lost create")
    suspect = registry.suspect(work, [order_id for order_id in left if order_id not in doomed])
    return Again(
        "nothing is left of the lost create", record=_together(work, suspect, create_gate.open_again)
    )


def _leave(work: Work, drafts: list[int], also: _OnLeaving | None = None) -> Result:
    """List the drafts as suspects and create anew: a stray empty draft costs nothing and mails nothing."""
    hidden = _hidden(work, also)
    if hidden is not None:
        return hidden
    record = _together(work, registry.suspect(work, drafts), also)
    return Again("the account may be shared: a stray draft may be left", record=record)


def _hidden(work: Work, also: _OnLeaving | None) -> Wait | None:
    """Return a wait while the draft of the lost create may still appear, None once its absence is evidence.

    The gate opens meanwhile: an answered create is known by its order id.
    """
    hidden = visibility.wait(work, "waits until the draft of a lost create would be visible")
    return None if hidden is None else replace(hidden, record=_together(work, None, also))


def _together(
    work: Work, record: Callable[[Connection], None] | None, also: _OnLeaving | None
) -> Callable[[Connection], None]:
    def write(connection: Connection) -> None:
        if record is not None:
            record(connection)
        if also is not None:
            also(connection, work)

    return write


def _adopt(work: Work, order_id: int) -> Result:
    def record(connection: Connection) -> None:
        registry.adopt(connection, order_id, work.now())
        create_gate.open_again(connection, work)

    return Advance(Stage.ATTACH, {"order_id": order_id}, record)


def late_reply(work: Work, order_id: int) -> None:
    """Delete the order of a claim that was lost meanwhile, unless somebody uses it by now."""
    registry.discard(work, order_id, "answered after its claim was lost")
