"""The question before money moves: the proof, the people, the price, and a yes or a no."""

from collections.abc import Collection
from decimal import Decimal
from pathlib import Path

import typer

from console.decisions import approve_all, cancel_all, offers, outcome_words
from console.output import remark, show
from console.private import save_private
from console.reads import campaigns, mailings, planned, quotes
from console.reads.campaigns import Standing
from console.session import Session
from console.views.campaigns import campaign_facts
from console.views.plans import grid_table
from console.views.quotes import delivery_words, quote_table
from console.views.times import time_facts
from console.views.words import cost, count
from console.watching import exit_code, follow
from models import OPEN, State
from worker.amounts import added
from worker.clock import system_clock
from worker.offers import Offer


def ask_about(session: Session, campaign_id: int, actor: str) -> int:
    """Wait until every mailing of a campaign has its price, show it, and do what the person says.

    Returns the exit code. Asks again if the vendor moves a price between the yes and the checkout. Where who
    submitted it may not approve it, the question is left for somebody else.
    """
    while True:
        one = follow(session, campaign_id)
        ready = _waiting_for_approval(session, campaign_id)
        if not ready:
            show(campaign_facts(one))
            return exit_code(one)
        seen = offers(session, ready)
        _show_offer(session, one, ready)
        if session.settings.four_eyes:
            remark(f"Somebody else must agree: mailrun campaign approve {campaign_id}")
            return 0
        if not typer.confirm(_question(seen.values(), session.vendor.upper()), default=False):
            return _cancel(session, campaign_id)
        approve_all(session, seen, actor)


def _waiting_for_approval(session: Session, campaign_id: int) -> list[int]:
    with session.engine.connect() as connection:
        return campaigns.mailings_in(connection, campaign_id, State.APPROVAL)


def _question(seen: Collection[Offer], vendor: str) -> str:
    pieces = count(sum(offer.pieces for offer in seen), "piece")
    orders = count(len(seen), "order")
    total, from_credits = (
        added(amount or Decimal(0) for amount in amounts)
        for amounts in ([offer.total for offer in seen], [offer.from_credits for offer in seen])
    )
    price = cost(total, from_credits)
    return f"{vendor}: send {pieces} in {orders} for {price}?"


def _show_offer(session: Session, one: Standing, ready: list[int]) -> None:
    show(campaign_facts(one))
    with session.engine.connect() as connection:
        quote = quotes.latest_quote(connection, ready[0])
    if quote is not None:
        title = f"Quote of mailing {ready[0]}, the first of {len(ready)}"
        show(quote_table(quote, title), delivery_words(quote))
    _show_times(session, ready[0])
    show(f"Proof of the first: {save_proof(session, ready[0])}")


def _show_times(session: Session, mailing_id: int) -> None:
    with session.engine.connect() as connection:
        first = mailings.mailing(connection, mailing_id)
        grid = planned.grid(connection, mailing_id)
    if grid:
        show(grid_table(grid))
    if first is not None:
        show(*(f"{name}: {words}" for name, words in time_facts(first, system_clock())))


def save_proof(session: Session, mailing_id: int, path: Path | None = None) -> Path | None:
    """Save a mailing's proof, by default in the data directory; returns where, None if there is no proof yet."""
    with session.engine.connect() as connection:
        pdf = mailings.proof(connection, mailing_id)
    if pdf is None:
        return None
    target = path or session.settings.data_dir / "proofs" / f"mailing-{mailing_id}.pdf"
    save_private(target, pdf)
    return target


def _cancel(session: Session, campaign_id: int) -> int:
    with session.engine.connect() as connection:
        open_ones = campaigns.mailings_in(connection, campaign_id, *OPEN)
    outcomes = cancel_all(session, open_ones)
    for outcome in dict.fromkeys(outcomes.values()):
        those = [one for one, came_of_it in outcomes.items() if came_of_it is outcome]
        remark(f"{count(len(those), 'mailing')}: {outcome_words(outcome)}")
    return 0
