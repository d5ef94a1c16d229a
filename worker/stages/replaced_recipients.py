"""What follows where recipients cannot be appended for sure: a plain PUT may replace those of earlier pages."""

from collections.abc import Mapping, Sequence

from lettrlabs import APPEND_ALIAS, MAX_RECIPIENTS, CallRecord, OrderRecipient
from worker.job import StageJob
from worker.recipients import matching
from worker.results import NeedsReview


def may_replace(call: CallRecord) -> bool:
    """Return whether a page was put by the call of which LettrLabs' own pages disagree what it does."""
    return not call.path.endswith(APPEND_ALIAS)


def has_replaced(
    everyone: Mapping[int, matching.Matchable],
    page: Mapping[int, matching.Matchable],
    there: Sequence[OrderRecipient],
) -> bool:
    """Return whether an order holds exactly the last page although more people were handed over.

    A read that lags shows earlier pages without the last. It never shows the last page without the earlier ones.
    """
    pairs = matching.match(page, {person.id: person for person in there})
    return len(page) < len(everyone) and len(pairs) == len(page) == len(there)


def cannot_fill(job: StageJob) -> NeedsReview:
    """Ask the operator about an order of several pages at a vendor that replaces the pages before."""
    facts = {"people": job.mailing.size, "mostOnOneOrder": MAX_RECIPIENTS}
    why = (
        "LettrLabs replaces the recipients of an order instead of adding to them, so it holds one page: cancel "
        f"this mailing, and send the list again with at most {MAX_RECIPIENTS} people on each order"
    )
    return NeedsReview("recipients_replaced", why, facts)
