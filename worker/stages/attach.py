"""Attach the recipients, page by page, then read the order back: what it holds is what will be mailed.

Every PUT appends (LettrLabs reference), so a page is never sent again after an unreadable answer: the order is
read, and unless it holds exactly what the cursor says, it is emptied and filled anew.
"""

from sqlalchemy import Connection

from lettrlabs import Accepted, AppendResult, NotSent, OrderRecipient, Rejected, Unknown
from models import Stage
from worker import frequency, pairing, recipients, suppressing
from worker.nobody import nobody_left
from worker.refusals import not_now, refused
from worker.results import Advance, Again, AskPerson, Result, Unsure
from worker.work import Work

_FILLINGS = 3
_DELETE_AT_ONCE = 500


def run(work: Work) -> Result:
    """Hand over the pages after the cursor, one commit each, then read back."""
    while work.held.cursor < work.held.size:
        if work.held.paused or work.held.cancel_requested:
            return Again("halted between two pages")
        page = recipients.next_page(work)
        after = work.held.cursor + len(page)
        fit = suppressing.sift(work, page)
        if not fit:
            work.checkpoint({"cursor": after})
            continue
        work.hold_on()
        answer = work.vendor.append_recipients(work.held.order, [recipients.on_the_wire(one) for one in fit])
        match answer:
            case Accepted(told):
                _keep_page(work, fit, told, after)
            case NotSent():
                return not_now(work, answer)
            case Rejected():
                return refused(work, answer)
            case Unknown(why):
                return Unsure(f"the answer to a page of recipients is not known: {why}")
    return _read_back(work)


def recover(work: Work) -> Result:
    """Go on if the order holds exactly what the cursor says; else empty it and start over."""
    if work.held.cursor == work.held.size and not recipients.submitted(work):
        # The draft of a mailing that nobody was taken of may be deleted already: reading it would be refused.
        return nobody_left(work)
    there = list(work.vendor.iter_recipients(work.held.order))
    if _pairs(work, there) is not None:
        return Again("the order holds what it should")
    return _start_over(work, there)


def _keep_page(work: Work, page: recipients.Page, told: AppendResult, cursor: int) -> None:
    refusals = dict(enumerate(told.undeliverable))
    positions = {person.position: person for person in page}
    found = pairing.pair(refusals, positions)
    why = {found[n]: refusals[n].reason or "refused without a reason" for n in found}

    def record(connection: Connection) -> None:
        recipients.mark_page(connection, work.held.id, positions, why)
        frequency.give_back(connection, work.held.id, list(why))

    work.checkpoint({"cursor": cursor}, record)


def _read_back(work: Work) -> Result:
    there = list(work.vendor.iter_recipients(work.held.order))
    vendor_ids = _pairs(work, there)
    if vendor_ids is None:
        return _start_over(work, there)
    if not vendor_ids:
        return nobody_left(work)
    values = {
        "accepted": len(vendor_ids),
        "rejected": work.held.size - len(vendor_ids),
        "recipients_digest": recipients.digest_of(vendor_ids.values()),
    }

    def record(connection: Connection) -> None:
        recipients.mark_accepted(connection, work.held.id, vendor_ids)

    return Advance(Stage.PROOF, values, record)


def _pairs(work: Work, there: list[OrderRecipient]) -> dict[int, int] | None:
    """Return the vendor's id by position, or None if the order does not hold exactly who was handed over."""
    ours = {person.position: person for person in recipients.submitted(work)}
    theirs = {person.id: person for person in there}
    pairs = pairing.pair(ours, theirs)
    return pairs if len(pairs) == len(ours) == len(there) else None


def _start_over(work: Work, there: list[OrderRecipient]) -> Result:
    should = len(recipients.submitted(work))
    if work.held.resends >= _FILLINGS:
        facts = {"handedOver": should, "onTheOrder": len(there), "fillings": work.held.resends}
        why = f"the order holds {len(there)} recipients where {should} were handed over, {_FILLINGS} times in a row"
        return AskPerson("recipients_differ", why, facts)
    trouble = _empty(work, [person.id for person in there])
    if trouble is not None:
        return trouble
    again = {"cursor": 0, "resends": work.held.resends + 1}
    why = f"emptied the order: it held {len(there)} recipients instead of {should}"
    return Again(why, again, lambda connection: recipients.forget_outcomes(connection, work.held.id))


def _empty(work: Work, vendor_ids: list[int]) -> Result | None:
    for start in range(0, len(vendor_ids), _DELETE_AT_ONCE):
        work.hold_on()
        answer = work.vendor.delete_recipients(work.held.order, vendor_ids[start : start + _DELETE_AT_ONCE])
        match answer:
            case Rejected():
                return refused(work, answer)
            case NotSent() | Unknown():
                return Unsure(f"the order could not be emptied: {answer.why}")
    return None
