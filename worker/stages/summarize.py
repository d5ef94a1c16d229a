"""Ask what it will cost, keep the quote, and have a person approve it where that is required."""

from decimal import Decimal

from models import Stage
from worker import agreement, choices, holds, lateness, quotes
from worker.quotes import Taken
from worker.reserving import reservation
from worker.results import Advance, AskApproval, AskPerson, Note, Record, Result, nothing
from worker.work import Work


def run(work: Work) -> Result:
    """Choose how to send it in time, then fetch and keep its summary; asking charges nothing (Checkout Summary)."""
    objection = holds.objection(work) or choices.choose(work)
    if objection is not None:
        return objection
    told = work.saw.quote_of(work.now())
    if told is None:
        told = quotes.ask(work)
        work.saw.price(work.now())
    priced = quotes.assess(work, told)
    if isinstance(priced, AskPerson):
        return quotes.once_evident(work, priced)
    record = Note(quotes.keep, Taken(work.held, priced, work.now()))
    if agreement.is_missing(work.held, priced.cost.total):
        return AskApproval(priced.values, record)
    return Advance(Stage.CHECKOUT, priced.values, record, _reserved_ahead(work, priced.cost.total))


def _reserved_ahead(work: Work, amount: Decimal) -> Record:
    """Reserve the money in the same commit, if nothing is left to be looked at before the checkout."""
    held, now = work.held, work.now()
    asks_the_vendor = held.vendor_hold is not None or held.deliver_by is not None
    if asks_the_vendor or not work.saw.all_of_it(now) or lateness.objection(work) is not None:
        return nothing
    return reservation(work, amount)


# A read leaves nothing behind to find out about.
recover = run
