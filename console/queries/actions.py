"""What a person can do about an order or a campaign that waits for them, as commands to copy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from models import Stage
from worker.approvals import ACCEPTABLE
from worker.billing.budgets import OVER_BUDGET
from worker.billing.order_changes import CHARGE_CHANGED, ORDER_CHANGED
from worker.billing.reconciliation import CHARGE_DIFFERS
from worker.scheduling.schedule import ScheduleProblem
from worker.transitions import Resolution

CANCEL: Final = "cancel"
ACCEPT: Final = "accept"
MEANINGS: Final = {
    Resolution.RETRY: "go on where it stopped, finding out first what is unsure",
    Resolution.PAY_AGAIN: "the payment failed: check out once more",
    Resolution.SENT: "write down that it is paid",
    Resolution.FAILED: "write down that it was not sent, and give it up",
    CANCEL: "have its draft deleted, and end it",
    ACCEPT: "accept this quote, or these charges; with --from-now-on this kind of difference",
}
_AFTER_CHECKOUT: Final = frozenset({Resolution.PAY_AGAIN, Resolution.SENT})
# More numbers than these make no command that a person would copy.
_MOST_NUMBERS: Final = 50


@dataclass(frozen=True, slots=True)
class Action:
    """A command, and what it does."""

    command: str
    meaning: str


def resolutions(stage: Stage, reason_code: str | None) -> list[str]:
    """Return the ways to resolve a mailing that needs attention."""
    if reason_code == ORDER_CHANGED:
        return [Resolution.RETRY.value, Resolution.SENT.value]
    if reason_code in {CHARGE_DIFFERS, CHARGE_CHANGED}:
        return [ACCEPT, Resolution.RETRY.value, Resolution.SENT.value]
    before_payment = stage is not Stage.SETTLE
    ways = [way.value for way in Resolution if not (before_payment and way in _AFTER_CHECKOUT)]
    if reason_code in ACCEPTABLE:
        ways = [ACCEPT, *ways]
    return [*ways, CANCEL]


def attention_actions(
    mailing_id: int, stage: Stage, reason_code: str | None, now: datetime
) -> Iterator[Action]:
    """Yield what can be done about a mailing that needs attention."""
    if reason_code in set(ScheduleProblem):
        yield _reschedule([mailing_id], now)
    for way in resolutions(stage, reason_code):
        option = way.replace(" ", "-")
        yield Action(f'mailrun attention resolve {mailing_id} --{option} --why "reason"', MEANINGS[way])
    yield Action(f"mailrun attention show {mailing_id}", "see what was found out")


def approval_actions(
    mailing_ids: Sequence[int], campaign_id: int | None, reason_code: str | None, now: datetime
) -> Iterator[Action]:
    """Yield what can be done about orders of one campaign, or a single one, that wait for approval."""
    numbers = " ".join(map(str, mailing_ids))
    single = campaign_id is None
    if reason_code == OVER_BUDGET:
        yield Action("mailrun budget show", "see the limits; `mailrun budget set` changes them")
    yield Action(
        f"mailrun approve {numbers}" if single else f"mailrun campaign approve {campaign_id}",
        "see the price, and have it paid and mailed",
    )
    if len(mailing_ids) <= _MOST_NUMBERS:
        yield Action(
            f'mailrun reject {numbers} --why "reason"', "have the drafts deleted, and keep the reason"
        )
        yield _reschedule(mailing_ids, now)
    yield Action(
        f"mailrun cancel {numbers}" if single else f"mailrun campaign cancel {campaign_id}",
        "have the drafts deleted",
    )


def failed_actions(campaign_id: int) -> Iterator[Action]:
    """Yield what can be done about a campaign of which orders failed."""
    yield Action(f"mailrun mailing list --campaign {campaign_id} --state failed", "see which orders, and why")
    yield Action(
        f"mailrun campaign show {campaign_id}", "see the rest; send the list under another --key to try again"
    )


def _reschedule(mailing_ids: Sequence[int], now: datetime) -> Action:
    tomorrow = (now + timedelta(days=1)).date()
    numbers = " ".join(map(str, mailing_ids))
    return Action(f"mailrun reschedule {numbers} --send-at {tomorrow}T09:00", "give it another time")
