"""How mailings that need a person look."""

from collections.abc import Iterable, Iterator

from rich.table import Table

from console.reads.attention import Asking, Cause
from console.views.words import count, day, facts, table, text, when
from worker.acceptances import Standing


def cause_lines(causes: Iterable[Cause]) -> Iterator[str]:
    """Yield why a campaign's mailings wait for a person, a line for each reason."""
    for one in causes:
        others = f" (and {count(one.mailings - 1, 'other')})" if one.mailings > 1 else ""
        yield f"mailing {one.first}{others}: {text(one.reason)}"


def asking_table(asking: Iterable[Asking]) -> Table:
    """Return one line for each mailing that needs attention."""
    columns = ("mailing", "campaign", "stage", "order", "reason", "why", "since")
    rows = table(*columns, right=("mailing", "order"), fold=("campaign", "why"))
    for one in asking:
        campaign = "-" if one.campaign_id is None else f"{one.campaign_id} {text(one.campaign)}"
        rows.add_row(
            str(one.mailing_id),
            campaign,
            one.stage,
            text(one.order_id),
            text(one.reason_code),
            text(one.reason),
            day(one.since),
        )
    return rows


def accepted_table(accepted: Iterable[Standing]) -> Table:
    """Return one line for each kind of difference that is accepted for the account."""
    rows = table(
        "number", "difference", "mailing", "by", "since", "why", right=("number", "mailing"), fold=("why",)
    )
    for one in accepted:
        kind = one.kind.value.replace("_", " ")
        rows.add_row(str(one.id), kind, text(one.mailing_id), text(one.who), day(one.at), text(one.why))
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
