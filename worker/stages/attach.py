"""Attach the recipients, page by page, then read the order back: what it holds is what will be mailed.

Every PUT appends (LettrLabs reference), so a page is never sent again after an unreadable answer: the order is
read. It may hold what the cursor says, or that and the page in doubt; a read may also be late. Only an order that
still holds neither once the visibility window has passed is emptied, seen empty, and filled anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lettrlabs import (
    Accepted,
    AppendResult,
    CallRecord,
    NotSent,
    OrderRecipient,
    Rejected,
    Unknown,
    VendorError,
)
from models import Stage
from worker.job import OrderSnapshot, StageJob
from worker.page_recipient import Page
from worker.recipients import matching, outcomes
from worker.recipients.digest import recipients_digest
from worker.results import Advance, Continue, Effect, NeedsReview, OutcomeUnknown, Result, Wait
from worker.stages import quote_request, recipient_pages, recipient_screening, replaced_recipients
from worker.stages.empty_mailing import end_empty_mailing
from worker.stages.vendor import visibility
from worker.stages.vendor.failures import handle_rejection, wait_for_vendor

MAX_REFILLS = 3
MAX_DELETED_RECIPIENTS = 500
_SOON = 2.0


@dataclass(frozen=True, slots=True)
class _Handed:
    """A page that the vendor has answered for: who is on the order, whom it refused and why, the cursor after it."""

    over: Mapping[int, matching.Matchable]
    refused: Mapping[int, str]
    cursor: int


def run(job: StageJob) -> Result:
    """Hand over the pages after the cursor, one commit each, then read back: the last is committed with it."""
    if job.mailing.resends and not job.mailing.cursor:
        unready = _not_empty(job)
        if unready is not None:
            return unready
    while job.mailing.cursor < job.mailing.size:
        page = recipient_pages.next_page(job)
        if page[0].halted:
            return Continue("halted between two pages")
        after = job.mailing.cursor + len(page)
        fit = recipient_screening.exclude_recipients(job, page)
        if not fit:
            job.checkpoint({"cursor": after})
            continue
        end = _hand_over(job, fit, after)
        if end is not None:
            return end
    return _read_back(job)


def _hand_over(job: StageJob, page: Page, after: int) -> Result | None:
    """Append one page; returns what the stage comes to, or None if another page follows."""
    job.ensure_lease()
    answer = job.vendor.append_recipients(job.mailing.order, [recipient_pages.to_wire(one) for one in page])
    match answer:
        case Accepted(told, call):
            is_first = job.mailing.cursor == 0
            return _page_accepted(job, _handed(page, told, after), call, is_first=is_first)
        case NotSent():
            return wait_for_vendor(job, answer)
        case Rejected():
            return handle_rejection(job, answer)
        case Unknown(why):
            return OutcomeUnknown(f"the answer to a page of recipients is not known: {why}")


def recover(job: StageJob) -> Result:
    """Go on from what the order holds: the pages before the cursor, or these and the page in doubt."""
    if job.mailing.cursor == job.mailing.size and not recipient_pages.submitted_recipients(job):
        # The draft of a mailing that nobody was taken of may be deleted already: reading it would be refused.
        return end_empty_mailing(job)
    there = list(job.vendor.iter_recipients(job.mailing.order))
    taken = _page_in_doubt(job, there)
    if taken is not None:
        return taken
    as_it_was = _pairs(_ours(job), there) is not None
    if as_it_was and job.mailing.cursor == job.mailing.size:
        return Continue("the order holds every page")
    hidden = visibility.wait(job, "waits until a page of recipients would be visible")
    if hidden is not None:
        return hidden
    return Continue("the order holds what it should") if as_it_was else _start_over(job, there)


def _page_in_doubt(job: StageJob, there: list[OrderRecipient]) -> Result | None:
    """Go on after the page whose answer was lost, if the order holds exactly it and the pages before it."""
    if job.mailing.cursor == job.mailing.size:
        return None
    page = recipient_pages.next_page(job)
    # Those whom a rule spared were marked before the page was handed over.
    waiting = recipient_pages.waiting_positions(job)
    whole = {one.position: one for one in page if one.position in waiting and not one.suppressed}
    if not whole or _pairs(_ours(job) | whole, there) is None:
        return None
    marks = outcomes.submitted_marks(job.mailing.id, whole, recipient_screening.mail_date(job))
    # It gets on: a vendor that never answers in time for a page may still be handed many.
    values = {"cursor": job.mailing.cursor + len(page), "attempts": 1}
    return Continue("the page in doubt is on the order", values, Effect(outcomes.save_outcomes, marks))


def _page_accepted(job: StageJob, handed: _Handed, call: CallRecord, *, is_first: bool) -> Result | None:
    """Read back after the last page; keep any other, and return a result only if it has replaced those before."""
    if handed.cursor == job.mailing.size:
        return _read_back(job, handed, call)
    _keep(job, handed)
    if is_first or not replaced_recipients.may_replace(call):
        return None
    there = list(job.vendor.iter_recipients(job.mailing.order))
    replaced = replaced_recipients.has_replaced(recipient_pages.submitted_recipients(job), handed.over, there)
    return replaced_recipients.cannot_fill(job) if replaced else None


def _handed(page: Page, told: AppendResult, cursor: int) -> _Handed:
    refusals = dict(enumerate(told.undeliverable))
    positions = {person.position: person for person in page}
    found = matching.pair_cut(refusals, positions) if refusals else {}
    why = {found[n]: refusals[n].reason or "refused without a reason" for n in found}
    return _Handed({at: one for at, one in positions.items() if at not in why}, why, cursor)


def _keep(job: StageJob, handed: _Handed) -> None:
    over = outcomes.submitted_marks(job.mailing.id, handed.over, recipient_screening.mail_date(job))
    marks = over + outcomes.refused_marks(job.mailing.id, handed.refused)
    job.checkpoint({"cursor": handed.cursor}, Effect(outcomes.save_outcomes, marks))


def _read_back(job: StageJob, last: _Handed | None = None, call: CallRecord | None = None) -> Result:
    """Hold the order against who was handed over; a ``last`` page that is not committed yet is, whatever is found."""
    try:
        with quote_request.asked_meanwhile(job, call):
            there = list(job.vendor.iter_recipients(job.mailing.order))
    except VendorError:
        if last is not None:
            _keep(job, last)
        raise
    vendor_ids = _pairs(_ours(job, last), there)
    if vendor_ids:
        return _done(job, vendor_ids, last)
    hidden = None if vendor_ids is not None else _hidden(job)
    if last is not None:
        _keep(job, last)
        replaced = call is not None and replaced_recipients.may_replace(call)
        if replaced and replaced_recipients.has_replaced(
            recipient_pages.submitted_recipients(job), last.over, there
        ):
            return replaced_recipients.cannot_fill(job)
    if vendor_ids is not None:
        return end_empty_mailing(job)
    return hidden or _start_over(job, there)


def _hidden(job: StageJob) -> Wait | None:
    return visibility.wait(job, "waits until the recipients that were handed over are visible")


def _done(job: StageJob, vendor_ids: dict[int, int], last: _Handed | None) -> Result:
    values = {
        "cursor": job.mailing.size,
        "accepted": len(vendor_ids),
        "rejected": job.mailing.size - len(vendor_ids),
        "recipients_digest": recipients_digest(vendor_ids.values()),
    }
    job.snapshot.recipients(vendor_ids[min(vendor_ids)], job.now())
    marks = outcomes.accepted_marks(job.mailing.id, vendor_ids, recipient_screening.mail_date(job))
    if last is not None:
        marks += outcomes.refused_marks(job.mailing.id, last.refused)
    return Advance(Stage.PROOF, values, Effect(outcomes.save_outcomes, marks))


def _ours(job: StageJob, last: _Handed | None = None) -> dict[int, matching.Matchable]:
    """Return who should be on the order, by position."""
    before = recipient_pages.submitted_recipients(job) if job.mailing.cursor else {}
    return {**before, **(last.over if last else {})}


def _pairs(ours: Mapping[int, matching.Matchable], there: list[OrderRecipient]) -> dict[int, int] | None:
    """Return the vendor's id by position, or None if the order does not hold exactly who was handed over."""
    theirs = {person.id: person for person in there}
    pairs = matching.pair_cut(ours, theirs)
    return pairs if len(pairs) == len(ours) == len(there) else None


def _start_over(job: StageJob, there: list[OrderRecipient]) -> Result:
    job.snapshot = OrderSnapshot()
    ours = recipient_pages.submitted_recipients(job)
    should = len(ours)
    if there and matching.are_written_differently(ours, {person.id: person for person in there}):
        facts = {"handedOver": should, "onTheOrder": len(there), "fillings": job.mailing.resends}
        why = f"some of the {len(there)} recipients on the order are written so that they are not recognized"
        return NeedsReview("recipients_differ", why, facts)
    if job.mailing.resends >= MAX_REFILLS:
        facts = {"handedOver": should, "onTheOrder": len(there), "fillings": job.mailing.resends}
        why = f"the order holds {len(there)} recipients where {should} were handed over, {MAX_REFILLS} times in a row"
        return NeedsReview("recipients_differ", why, facts)
    trouble = _empty(job, [person.id for person in there])
    if trouble is not None:
        return trouble
    again = {"cursor": 0, "resends": job.mailing.resends + 1}
    why = f"emptied the order: it held {len(there)} recipients instead of {should}"
    return Continue(why, again, lambda connection: recipient_pages.reset_outcomes(connection, job.mailing.id))


def _not_empty(job: StageJob) -> Result | None:
    """Return what to do before an emptied order is filled anew: nothing, once it is seen empty."""
    there = [person.id for person in job.vendor.iter_recipients(job.mailing.order)]
    if not there:
        return None
    hidden = visibility.wait(job, "waits until the emptied order is seen empty")
    return hidden or _empty(job, there) or Wait(_SOON, "emptied the order once more")


def _empty(job: StageJob, vendor_ids: list[int]) -> Result | None:
    for start in range(0, len(vendor_ids), MAX_DELETED_RECIPIENTS):
        job.ensure_lease()
        answer = job.vendor.delete_recipients(
            job.mailing.order, vendor_ids[start : start + MAX_DELETED_RECIPIENTS]
        )
        match answer:
            case Rejected():
                return handle_rejection(job, answer)
            case NotSent() | Unknown():
                return OutcomeUnknown(f"the order could not be emptied: {answer.why}")
    return None
