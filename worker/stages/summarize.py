"""Ask what it will cost, keep the quote, and have a person approve it where that is required."""

from decimal import Decimal

from models import Stage
from worker.job import StageJob
from worker.results import Advance, Effect, NeedsApproval, NeedsReview, Record, Result, nothing
from worker.stages import delivery_choice, quote_request
from worker.stages.checks import approval, hold_date, send_time
from worker.stages.quote_request import FetchedQuote
from worker.stages.reservation import reserve_effect


def run(work: StageJob) -> Result:
    """Choose how to send it in time, then fetch and keep its summary; asking charges nothing (Checkout Summary)."""
    objection = hold_date.check(work) or delivery_choice.choose_option(work)
    if objection is not None:
        return objection
    told = work.saw.quote_of(work.now())
    if told is None:
        told = quote_request.fetch_quote(work)
        work.saw.price(work.now())
    priced = quote_request.assess(work, told)
    if isinstance(priced, NeedsReview):
        return quote_request.once_evident(work, priced)
    record = Effect(quote_request.save_quotes, FetchedQuote(work.held, priced, work.now()))
    if approval.needs_approval(work.held, priced.cost.total):
        return NeedsApproval(priced.values, record)
    return Advance(Stage.CHECKOUT, priced.values, record, _reserved_ahead(work, priced.cost.total))


def _reserved_ahead(work: StageJob, amount: Decimal) -> Record:
    """Reserve the money in the same commit, if nothing is left to be looked at before the checkout."""
    held, now = work.held, work.now()
    asks_the_vendor = held.vendor_hold is not None or held.deliver_by is not None
    if asks_the_vendor or not work.saw.all_of_it(now) or send_time.check(work) is not None:
        return nothing
    return reserve_effect(work, amount)


# A read leaves nothing behind to find out about.
recover = run
