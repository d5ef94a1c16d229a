"""Resolving what needs a person: what was seen, what can be done about it, and doing it."""

from dataclasses import asdict
from typing import Final

from console import decisions
from console.complaints import Complaint, UsageComplaint
from console.output import show, show_json
from console.reads.attention import Asking, asking, facts_seen
from console.session import Session, open_session
from console.views.attention import asking_facts
from console.views.mailings import seen_table
from models import Stage
from worker.ledger import CHARGE_DIFFERS
from worker.moves import Resolution

CANCEL: Final = "cancel"
_AFTER_CHECKOUT: Final = frozenset({Resolution.PAY_AGAIN, Resolution.SENT})
_MEANING: Final = {
    Resolution.RETRY: "go on where it stopped, finding out first what is unsure",
    Resolution.PAY_AGAIN: "the payment failed: check out once more",
    Resolution.SENT: "write down that it is paid and mailed",
    Resolution.FAILED: "write down that it was not sent, and give it up",
    CANCEL: "have its draft deleted, and end it",
}


def show_asking(mailing_id: int, *, as_json: bool) -> None:
    """Print why a mailing needs attention; raises Complaint if it does not."""
    with open_session(quiet=as_json) as session:
        one = _asking(session, mailing_id)
        with session.engine.connect() as connection:
            seen = facts_seen(connection, mailing_id)
        if as_json:
            show_json(session.vendor, attention=asdict(one) | {"seen": seen, "possible": _possible(one)})
            return
        show(asking_facts(one), "", "What was seen:", seen_table(seen), "", "What can be done:")
        for way in _possible(one):
            option = way.replace(" ", "-")
            show(f"  mailrun attention resolve {one.mailing_id} --{option} --why ...   {_MEANING[way]}")


def resolve(mailing_id: int, ways: list[str], why: str) -> int:
    """Carry out one decision; raises UsageComplaint unless it is exactly one, Complaint if it does not apply."""
    if len(ways) != 1:
        raise UsageComplaint("say exactly one of --retry, --pay-again, --sent, --failed and --cancel")
    if not why.strip():
        raise UsageComplaint("--why: must say what you found out")
    way = ways[0]
    with open_session() as session:
        one = _asking(session, mailing_id)
        if way == CANCEL:
            outcomes = decisions.cancel_all(session, [mailing_id])
            show(f"mailing {mailing_id}: {decisions.outcome_words(outcomes[mailing_id])}")
            return 1 if decisions.has_failed(outcomes) else 0
        if not decisions.resolve(session, mailing_id, Resolution(way), why):
            raise Complaint(f"mailing {mailing_id} cannot be resolved so: it stands at {one.stage}")
        show(f"mailing {mailing_id}: {_MEANING[way]}")
    return 0


def _asking(session: Session, mailing_id: int) -> Asking:
    with session.engine.connect() as connection:
        one = asking(connection, mailing_id)
    if one is None:
        raise Complaint(f"mailing {mailing_id} does not need attention; see `mailrun attention list`")
    return one


def _possible(one: Asking) -> list[str]:
    if one.reason_code == CHARGE_DIFFERS:
        return [Resolution.RETRY.value, Resolution.SENT.value]
    before_payment = one.stage is not Stage.SETTLE
    ways = [way.value for way in Resolution if not (before_payment and way in _AFTER_CHECKOUT)]
    return [*ways, CANCEL]
