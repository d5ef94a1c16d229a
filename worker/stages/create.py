"""Create the order: an empty draft, which costs nothing and mails nothing.

Every POST makes another draft, and none can be marked as ours (LettrLabs, Order of operations). So an answer
that got lost is found out by looking for a draft that nothing else explains, while no other create runs.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from lettrlabs import Accepted, NotSent, Rejected, Unknown
from models import Stage
from worker import fates, gate, ownership, strays, visibility
from worker.refusals import not_now, refused
from worker.results import Advance, Again, Fail, Note, Result, Unsure, Wait
from worker.work import Work

_GATE_PAUSE = 1.0


def run(work: Work) -> Result:
    """Create the order; a template that LettrLabs does not know ends the mailing, for nothing was made."""
    work.hold_on()
    answer = work.vendor.create_order(work.held.template_id)
    match answer:
        case Accepted(order_id):
            work.saw.made_order = True
            return Advance(Stage.ATTACH, {"order_id": order_id}, Note(fates.take, order_id))
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
    if not ownership.is_exclusive(work, work.settings):
        return _leave(work, strays.unexplained_drafts(work, above=work.held.order_fence or 0).empty)
    if not gate.close(work):
        return _at_the_gate(work, "another lost create is being found out")
    if gate.calls_in_flight(work):
        return _at_the_gate(work, "waits for creates under way to end")
    return _settle(work)


def _at_the_gate(work: Work, why: str) -> Wait:
    """Wait without a look: what earlier looks did not show stays as old as it is."""
    return Wait(_GATE_PAUSE, why, missing_since=work.held.missing_since)


def _settle(work: Work) -> Result:
    """With no create under way, every unexplained draft is of an unsure one: adopt one, delete what is too much."""
    drafts = strays.unexplained_drafts(work, above=work.held.order_fence or 0)
    found = drafts.empty
    contradicted = ownership.note_filled_drafts(work, work.settings, drafts.filled)
    if contradicted or len(found) > strays.lost_creates(work):
        # Drafts of another program are among them: the hourly look judges those that stay empty.
        return _leave(work, found, gate.open_again)
    condemned = strays.condemned(work, found)
    left = [order_id for order_id in found if order_id not in condemned]
    usable = left[: 1 + strays.unsure_others(work)] if strays.interchangeable(work) else []
    spare = sorted(condemned) + left[len(usable) :]
    if not all(fates.discard(work, order_id, "left by a lost create") for order_id in spare):
        undeleted = _undeleted(work)
        if undeleted is not None:
            return undeleted
    if usable:
        return _adopt(work, usable[0])
    hidden = visibility.wait(work, "waits until the draft of a lost create would be visible")
    if hidden is not None:
        # The gate need not stay shut meanwhile: what other creates make is known by their answers.
        return replace(hidden, record=lambda connection: gate.open_again(connection, work))
    return Again(
        "nothing is left of the lost create", record=lambda connection: gate.open_again(connection, work)
    )


def _leave(work: Work, drafts: list[int], also: Callable[[Connection, Work], None] | None = None) -> Again:
    """List the drafts as suspects and create anew: a stray empty draft costs nothing and mails nothing."""
    suspect = fates.suspect(work, drafts)

    def record(connection: Connection) -> None:
        suspect(connection)
        if also is not None:
            also(connection, work)

    return Again("the account may be shared: a stray draft may be left", record=record)


def _undeleted(work: Work) -> Wait | None:
    """Wait for a stray's deletion, but not for long: no create uses what is condemned, and the sweep deletes it."""
    since = work.held.unsure_since or work.now()
    if work.now() - since >= timedelta(seconds=work.settings.visibility_window_seconds):
        return None
    return _at_the_gate(work, "a stray draft could not be deleted yet")


def _adopt(work: Work, order_id: int) -> Result:
    def record(connection: Connection) -> None:
        fates.adopt(connection, order_id, work.now())
        gate.open_again(connection, work)

    return Advance(Stage.ATTACH, {"order_id": order_id}, record)


def late_reply(work: Work, order_id: int) -> None:
    """Delete the order of a claim that was lost meanwhile, unless somebody uses it by now."""
    fates.discard(work, order_id, "answered after its claim was lost")
