"""How mailings look."""

import json
from collections.abc import Iterable
from typing import Any

from rich.table import Table

from console.queries.mailings import CallMade, Event, MailingFacts
from console.views.formatting import cost, facts, moment, money, state, table, text, when
from console.views.time_formatting import time_facts
from models import ENDED
from worker.clock import system_clock

_NUMBERS = ("id", "campaign", "order", "people accepted", "price", "ms", "status")


def mailing_table(mailings: Iterable[MailingFacts]) -> Table:
    """Return one line for each mailing."""
    columns = ("id", "campaign", "state", "stage", "order", "people accepted", "price")
    rows = table(*columns, "why", right=_NUMBERS, fold=("why",))
    for one in mailings:
        rows.add_row(
            str(one.id),
            text(one.campaign_id),
            state(one.state),
            "" if one.state in ENDED else one.stage,
            text(one.order_id),
            f"{one.accepted:,} of {one.size:,}",
            money(one.quoted if one.charged is None else one.charged),
            text(one.reason) if one.reason else "",
        )
    return rows


def mailing_facts(one: MailingFacts) -> Table:
    """Return a mailing's own facts."""
    approved = f"by {one.approved_by}, {when(one.approved_at)}" if one.approved_at else one.approval.value
    return facts(
        ("mailing", str(one.id)),
        ("campaign", "-" if one.campaign_id is None else f"{one.campaign_id}, batch {one.batch}"),
        ("state", state(one.state)),
        *(() if one.state in ENDED else (("next stage", one.stage),)),
        *((("why", one.reason),) if one.reason else ()),
        ("order", "-" if one.order_id is None else f"{one.order_id}  {one.order_status or ''}"),
        ("options", f"template {one.template_id}, {one.postage}, {one.speed}"),
        *time_facts(one, system_clock()),
        ("approval", approved),
        ("people", _people_words(one)),
        ("money", f"{cost(one.quoted, one.quoted_from_credits)} quoted, {_charged(one)} charged"),
        *((("cancel", "asked for"),) if one.cancel_requested else ()),
        ("submitted", when(one.created_at)),
    )


def _charged(one: MailingFacts) -> str:
    return cost(one.charged, one.charged_from_credits)


def _people_words(one: MailingFacts) -> str:
    spared = f", {one.spared:,} not handed over" if one.spared else ""
    return f"{one.size:,}: {one.accepted:,} accepted, {one.refused:,} refused by LettrLabs{spared}"


def timeline_table(events: Iterable[Event]) -> Table:
    """Return a mailing's moves."""
    rows = table("when (UTC)", "move", "stage", "state", "by", "why", fold=("by", "why"), title="Timeline")
    for one in events:
        rows.add_row(
            moment(one.at),
            one.move,
            one.stage,
            state(one.state),
            text(one.actor),
            text(one.detail.get("why", "")),
        )
    return rows


def call_table(calls: Iterable[CallMade]) -> Table:
    """Return the calls made for a mailing."""
    rows = table(
        *("when (UTC)", "call", "outcome", "status", "ms"),
        right=_NUMBERS,
        fold=("call",),
        title="Calls to LettrLabs",
    )
    for one in calls:
        call = f"{one.method} {one.path}"
        rows.add_row(moment(one.started_at), call, one.outcome, text(one.status), str(one.elapsed_ms))
    return rows


def seen_table(seen: dict[str, Any]) -> Table:
    """Return facts that were noted down, one a line."""
    return facts(*((name, json.dumps(value, default=str)) for name, value in seen.items()))
