"""Ask what it will cost, keep the quote, and have a person approve it where that is required."""

from decimal import Decimal

from models import Stage
from worker.job import Work
from worker.results import Advance, AskApproval, AskPerson, Note, Record, Result, nothing
from worker.stages import delivery_choice, quote_request
from worker.stages.checks import approval, hold_date, send_time
from worker.stages.quote_request import Taken
from worker.stages.reservation import reservation


def run(work: Work) -> Result:
    """Choose how to send it in time, then fetch and keep its summary; asking charges nothing (Checkout Summary)."""
    objection = hold_date.objection(work) or delivery_choice.choose(work)
    if objection is not None:
        return objection
    told = work.saw.quote_of(work.now())
    if told is None:
        told = quote_request.ask(work)
        work.saw.price(work.now())
    priced = quote_request.assess(work, told)
    if isinstance(priced, AskPerson):
        return quote_request.once_evident(work, priced)
    record = Note(quote_request.keep, Taken(work.held, priced, work.now()))
    if approval.is_missing(work.held, priced.cost.total):
        return AskApproval(priced.values, record)
    return Advance(Stage.CHECKOUT, priced.values, record, _reserved_ahead(work, priced.cost.total))


def _reserved_ahead(work: Work, amount: Decimal) -> Record:
    """Reserve the money in the same commit, if nothing is left to be looked at before the checkout."""
    held, now = work.held, work.now()
    asks_the_vendor = held.vendor_hold is not None or held.deliver_by is not None
    if asks_the_vendor or not work.saw.all_of_it(now) or send_time.objection(work) is not None:
        return nothing
    return reservation(work, amount)


# A read leaves nothing behind to find out about.
recover = run
