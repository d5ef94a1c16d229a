"""What to make of a vendor that is away, busy or refuses: the same for every stage."""

from lettrlabs import NotSent, Rejected, Unavailable
from lettrlabs import Refused as ReadRefused
from models import Stage
from worker.job import StageJob
from worker.results import Cancelled, NeedsReview, Wait
from worker.stages.vendor import no_answer, visibility
from worker.stages.vendor.charges import charges_of

_LONGEST_PAUSE = 300.0
# The key or the plan is at fault, not the mailing: once it is mended, all may go on.
_ACCOUNT_TROUBLE = frozenset({401, 403})
_NOT_FOUND = 404


def backoff_seconds(job: StageJob, retry_after: float | None) -> float:
    """Return the seconds to leave the vendor alone: what it asked for, or longer with every time, up to 5 minutes."""
    growing: float = job.settings.retry_seconds * 2 ** min(job.mailing.waits, 10)
    return max(retry_after or 0.0, min(growing, _LONGEST_PAUSE))


def wait_for_vendor(job: StageJob, trouble: NotSent | Unavailable) -> Wait | NeedsReview:
    """Return what follows where nothing was written, and later may well be."""
    why = f"LettrLabs could not be reached: {trouble.why}"
    pause = backoff_seconds(job, trouble.retry_after)
    # A pause that is the account's says nothing about this mailing.
    return Wait(pause, why) if no_answer.is_asked_for(trouble) else unanswered(job, pause, why)


def handle_rejection(job: StageJob, refusal: Rejected | ReadRefused) -> Wait | NeedsReview | Cancelled:
    """Return what follows from a definite refusal: the account's trouble waits, anything else is for a person.

    A refusal may be of a moment, or because the vendor does not see yet what was written: it is asked about again.
    """
    if refusal.status in _ACCOUNT_TROUBLE:
        why = f"LettrLabs refuses the key or the plan ({refusal.status})"
        return unanswered(job, backoff_seconds(job, None), why)
    if refusal.status == _NOT_FOUND:
        try:
            if _is_gone(job):
                return order_missing(job)
        except Unavailable as trouble:
            # Whether the order is gone decides what this means: that is asked again, not a person.
            return wait_for_vendor(job, trouble)
    words = refusal.words or "no reason given"
    why = f"LettrLabs refused ({refusal.status}): {words}"
    facts = {"status": refusal.status, "reasonCode": refusal.reason_code, "words": refusal.words}
    return visibility.wait(job, why) or NeedsReview("refused", why, facts)


def order_missing(job: StageJob) -> Wait | NeedsReview | Cancelled:
    """Return what follows from an order that the vendor does not show; once that is evidence, a person is asked.

    Unless it was to be cancelled: then a worker deleted the draft and did not live to write it down.
    """
    hidden = visibility.wait(job, f"LettrLabs does not show order {job.mailing.order}")
    if hidden is not None:
        return hidden
    if job.mailing.cancel_requested and _is_surely_unpaid(job):
        return Cancelled()
    why = f"order {job.mailing.order} is not at LettrLabs any more"
    return NeedsReview("order_gone", why, {"orderId": job.mailing.order})


def _is_surely_unpaid(job: StageJob) -> bool:
    """Return whether no checkout was made, or a lost one shows no charge after the settlement window."""
    if not job.mailing.may_be_checked_out:
        return True
    return job.mailing.stage is not Stage.SETTLE and charges_of(job) == 0


def _is_gone(job: StageJob) -> bool:
    # A 404 may also be of a path, which says nothing about the order: so it is asked for by its number.
    try:
        return job.mailing.order_id is not None and job.vendor.order(job.mailing.order) is None
    except ReadRefused:
        return False


def unanswered(job: StageJob, pause: float, why: str) -> Wait | NeedsReview:
    """Return a wait for an answer, or ask a person where others get on and this mailing has not since long ago."""
    since = job.mailing.unanswered_since or job.now()
    if not no_answer.is_of_one_mailing(job, since):
        return Wait(pause, why, unanswered_since=since)
    facts = {"unansweredSince": since.isoformat(), "orderId": job.mailing.order_id}
    asks = (
        f"{why}; other mailings pass {job.mailing.stage}, this one has not since {since:%Y-%m-%d %H:%M} UTC"
    )
    return NeedsReview("unanswered", asks, facts)
