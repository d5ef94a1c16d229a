"""How mailings that need a person look."""

from collections.abc import Iterable, Iterator
from typing import Final

from rich.table import Table

from console.queries.actions import Action
from console.queries.attention import Asking, Cause, Waiting
from console.queries.pending import Kind, Pending
from console.views.formatting import count, day, facts, money, table, text, when
from worker.billing.acceptances import Standing


def cause_lines(causes: Iterable[Cause]) -> Iterator[str]:
    """Yield why a campaign's mailings wait for a person, a line for each reason."""
    for one in causes:
        others = f" (and {count(one.mailings - 1, 'other')})" if one.mailings > 1 else ""
        yield f"mailing {one.first}{others}: {text(one.reason)}"


def action_lines(actions: Iterable[Action]) -> Iterator[str]:
    """Yield commands to copy, each after what it does."""
    for one in actions:
        yield f"  # {one.meaning}"
        yield f"  {one.command}"


def pending_heading(one: Pending) -> str:
    """Return what waits for a person, in one line."""
    orders = f"mailing {one.mailing_id}" if one.mailings == 1 else count(one.mailings, "order")
    campaign = "" if one.campaign_id is None else f"campaign {one.campaign_id} {text(one.campaign)}"
    order = f"order {one.order_id}" if one.mailings == 1 and one.order_id else ""
    amount = money(one.amount) if one.amount and one.kind is not Kind.FAILED else ""
    since = f"since {when(one.since)}"
    parts = [campaign, orders, order, amount, since]
    return f"{_KINDS[one.kind]}: {', '.join(filter(None, parts))}"


def pending_reason(one: Pending) -> str:
    """Return why it waits, empty for an approval that only waits for its price to be agreed to."""
    return (
        f"  {': '.join(filter(None, [one.reason_code, text(one.reason) if one.reason else None]))}".rstrip()
    )


# What the worker writes where there is no other reason: the heading says it already.
PLAIN_APPROVAL: Final = "waits for approval"
_KINDS: Final = {
    Kind.ATTENTION: "needs attention",
    Kind.APPROVAL: "waits for approval",
    Kind.FAILED: "failed",
}


def accepted_table(accepted: Iterable[Standing]) -> Table:
    """Return one line for each kind of difference that is accepted for the account."""
    rows = table(
        "number", "difference", "mailing", "by", "since", "why", right=("number", "mailing"), fold=("why",)
    )
    for one in accepted:
        kind = one.kind.value.replace("_", " ")
        rows.add_row(str(one.id), kind, text(one.mailing_id), text(one.who), day(one.at), text(one.why))
    return rows


def waiting_table(waiting: Iterable[Waiting]) -> Table:
    """Return one line for each mailing that has waited long for LettrLabs."""
    rows = table("mailing", "stage", "order", "why", "since", right=("mailing", "order"), fold=("why",))
    for one in waiting:
        rows.add_row(str(one.mailing_id), one.stage, text(one.order_id), text(one.reason), day(one.since))
    return rows


def asking_facts(one: Asking) -> Table:
    """Return why one mailing needs attention."""
    return facts(
        ("mailing", str(one.mailing_id)),
        ("campaign", "-" if one.campaign_id is None else f"{one.campaign_id}  {one.campaign}"),
        ("stage", one.stage),
        ("order", one.order_id),
        ("reason", one.reason_code),
        ("why", one.reason),
        ("since", when(one.since)),
    )
