"""What to make of a vendor that is away, busy or refuses: the same for every stage."""

from lettrlabs import NotSent, Rejected, Unavailable
from lettrlabs import Refused as ReadRefused
from worker.results import AskPerson, Discarded, Wait
from worker.work import Work

_LONGEST_PAUSE = 300.0
# The key or the plan is at fault, not the mailing: somebody will mend it, and then all may go on.
_ACCOUNT_TROUBLE = frozenset({401, 403})
_NOT_FOUND = 404


def pause_for(work: Work, retry_after: float | None) -> float:
    """Return the seconds to leave the vendor alone: what it asked for, or longer with every time, up to 5 minutes."""
    growing: float = work.settings.retry_seconds * 2 ** min(work.held.waits, 10)
    return max(retry_after or 0.0, min(growing, _LONGEST_PAUSE))


def not_now(work: Work, trouble: NotSent | Unavailable) -> Wait:
    """Nothing was written, and later it may well be."""
    return Wait(pause_for(work, trouble.retry_after), f"LettrLabs could not be reached: {trouble.why}")


def refused(work: Work, refusal: Rejected | ReadRefused) -> Wait | AskPerson | Discarded:
    """Return what follows from a definite refusal: the account's trouble waits, anything else is for a person."""
    if refusal.status in _ACCOUNT_TROUBLE:
        return Wait(pause_for(work, None), f"LettrLabs refuses the key or the plan ({refusal.status})")
    if refusal.status == _NOT_FOUND:
        try:
            if _is_gone(work):
                return order_gone(work)
        except Unavailable as trouble:
            # Whether the order is gone decides what this means: that is asked again, not a person.
            return not_now(work, trouble)
    facts = {"status": refusal.status, "reasonCode": refusal.reason_code, "words": refusal.words}
    words = refusal.words or "no reason given"
    return AskPerson("refused", f"LettrLabs refused ({refusal.status}): {words}", facts)


def order_gone(work: Work) -> AskPerson | Discarded:
    """Return what follows from an order that is not to be found at the vendor: nobody but a person can know why.

    Unless it was to be cancelled: then whoever deleted the draft only did not live to write it down.
    """
    if work.held.cancel_requested:
        return Discarded()
    why = f"order {work.held.order} is not at LettrLabs any more: somebody deleted it there"
    return AskPerson("order_gone", why, {"orderId": work.held.order})


def _is_gone(work: Work) -> bool:
    # A 404 may also be of a path, which says nothing about the order: so it is asked for by its number.
    try:
        return work.held.order_id is not None and work.vendor.order(work.held.order) is None
    except ReadRefused:
        return False
