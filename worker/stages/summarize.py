"""Ask what it will cost, keep the quote, and have a person approve it where that is required."""

from decimal import Decimal

from models import Stage
from worker.job import StageJob
from worker.results import Advance, Effect, NeedsApproval, NeedsReview, Record, Result, nothing
from worker.stages import delivery_choice, quote_request
from worker.stages.checks import approval, hold_date, send_time
from worker.stages.quote_request import FetchedQuote
from worker.stages.reservation import reserve_effect


def run(job: StageJob) -> Result:
    """Choose how to send it in time, then fetch and keep its summary; asking charges nothing (Checkout Summary)."""
    objection = hold_date.check(job) or delivery_choice.choose_option(job)
    if objection is not None:
        return objection
    told = job.snapshot.quote_of(job.now())
    if told is None:
        told = quote_request.fetch_quote(job)
        job.snapshot.price(job.now())
    priced = quote_request.assess(job, told)
    if isinstance(priced, NeedsReview):
        return quote_request.once_evident(job, priced)
    record = Effect(quote_request.save_quotes, FetchedQuote(job.mailing, priced, job.now()))
    if approval.needs_approval(job.mailing, priced.cost.total):
        return NeedsApproval(priced.values, record)
    return Advance(Stage.CHECKOUT, priced.values, record, _reserved_ahead(job, priced.cost.total))


def _reserved_ahead(job: StageJob, amount: Decimal) -> Record:
    """Reserve the money in the same commit, if nothing is left to be looked at before the checkout."""
    claimed, now = job.mailing, job.now()
    asks_the_vendor = claimed.vendor_hold is not None or claimed.deliver_by is not None
    if asks_the_vendor or not job.snapshot.is_fresh(now) or send_time.check(job) is not None:
        return nothing
    return reserve_effect(job, amount)


# A read leaves nothing behind to find out about.
recover = run
