"""The question before money moves: the offer of all orders added up, and a yes, a later or a cancel."""

from collections.abc import Sequence
from pathlib import Path

from console.actions.campaigns.watch import exit_code, follow
from console.actions.decisions import approve_all, cancel_all, objection, outcome_label
from console.errors import CommandError
from console.output import print_note, print_result, show_lines
from console.private_files import save_private
from console.queries import calendar, campaigns, mailings
from console.queries.merge_samples import merge_samples
from console.queries.offers import OfferSum, offer_sum
from console.questions import Answer, ask_price
from console.session import Session
from console.views.budgets import terms_label
from console.views.calendar import grid_table
from console.views.campaigns import campaign_facts
from console.views.formatting import count
from console.views.import_preview import sample_lines
from console.views.offers import offer_parts, question
from models import OPEN, State
from worker.approvals import ApprovalOutcome


def ask_about(session: Session, campaign_id: int, actor: str) -> int:
    """Wait until every mailing of a campaign has its price, show it, and do what the person says.

    Returns the exit code. Asks again if the vendor moves a price between the yes and the checkout. Where who
    submitted it may not approve it, the question is left for another person.
    """
    while True:
        one = follow(session, campaign_id)
        ready = _waiting_for_approval(session, campaign_id)
        if not ready:
            print_result(campaign_facts(one))
            return exit_code(one)
        offer = show_offer(session, ready, orders=False)
        if session.settings.four_eyes:
            print_note(f"Another person must approve it: mailrun campaign approve {campaign_id}")
            return 0
        later = _later(f"campaign approve {campaign_id}", f"campaign cancel {campaign_id}")
        match ask_price(question(offer, session.vendor), later):
            case Answer.LATER:
                print_note(later)
                return 0
            case Answer.CANCEL:
                return _cancel(session, _open_mailings(session, campaign_id))
            case Answer.YES if approve_all(session, offer.terms, actor):
                print_note("The offer changed in the meantime; nothing was approved. Here is what it is now:")


def approve(session: Session, asked: Sequence[int], actor: str, *, yes: bool, orders: bool) -> int:
    """Show what these mailings offer, ask unless `yes`, and approve exactly that; returns the exit code.

    Raises Complaint if the offer changed between showing and deciding: then nothing is approved.
    """
    objections = {one: objection(session, one, actor) for one in asked}
    for number, why in objections.items():
        if why is not None:
            print_note(f"mailing {number}: {why}")
    ready = [one for one, why in objections.items() if why is None]
    if not ready:
        return 1
    offer = show_offer(session, ready, orders=orders)
    numbers = " ".join(map(str, ready))
    later = _later(f"approve {numbers}", f"cancel {numbers}")
    answer = Answer.YES if yes else ask_price(question(offer, session.vendor), later)
    if answer is Answer.LATER:
        print_note(later)
        return 0
    if answer is Answer.CANCEL:
        return _cancel(session, ready)
    _approve(session, offer, actor)
    return 0 if len(ready) == len(objections) else 1


def _approve(session: Session, offer: OfferSum, actor: str) -> None:
    objections = approve_all(session, offer.terms, actor)
    if objections:
        number, why = next(iter(objections.items()))
        if why is ApprovalOutcome.CHANGED:
            raise CommandError(
                f"mailing {number} is not any more what was shown; nothing was approved: look again"
            )
        raise CommandError(f"mailing {number} {why}; nothing was approved: look again")
    for number, agreed in offer.terms.items():
        print_result(f"mailing {number}: approved by {actor}: {terms_label(agreed.offer)}")


def show_offer(session: Session, mailing_ids: Sequence[int], *, orders: bool) -> OfferSum:
    """Show what approving these mailings binds, and where the proof of the first is; returns it."""
    with session.engine.connect() as connection:
        # One snapshot: what is shown belongs together, and is what is bound.
        steady = connection.execution_options(isolation_level="REPEATABLE READ")
        offer = offer_sum(steady, mailing_ids)
        grid = calendar.grid(steady, mailing_ids[0])
        samples = merge_samples(steady, mailing_ids)
    print_result(*offer_parts(offer, orders=orders))
    if grid:
        print_result(grid_table(grid))
    print_result(*sample_lines(samples))
    of_all = "" if len(mailing_ids) == 1 else f" of the first of {len(mailing_ids)} orders"
    show_lines(f"Proof{of_all}: {save_proof(session, mailing_ids[0])}")
    return offer


def _later(approve_command: str, cancel_command: str) -> str:
    return (
        f"Nothing is approved and nothing is paid. Later: `mailrun {approve_command}`, "
        f"or `mailrun {cancel_command}`"
    )


def _waiting_for_approval(session: Session, campaign_id: int) -> list[int]:
    with session.engine.connect() as connection:
        return campaigns.mailings_in(connection, campaign_id, State.APPROVAL)


def _open_mailings(session: Session, campaign_id: int) -> list[int]:
    with session.engine.connect() as connection:
        return campaigns.mailings_in(connection, campaign_id, *OPEN)


def save_proof(session: Session, mailing_id: int, path: Path | None = None) -> Path | None:
    """Save a mailing's proof, by default in the data directory; returns where, None if there is no proof yet."""
    with session.engine.connect() as connection:
        pdf = mailings.proof(connection, mailing_id)
    if pdf is None:
        return None
    target = path or session.settings.data_dir / "proofs" / f"mailing-{mailing_id}.pdf"
    save_private(target, pdf)
    return target


def _cancel(session: Session, mailing_ids: Sequence[int]) -> int:
    outcomes = cancel_all(session, mailing_ids)
    for outcome in dict.fromkeys(outcomes.values()):
        those = [one for one, came_of_it in outcomes.items() if came_of_it is outcome]
        print_note(f"{count(len(those), 'mailing')}: {outcome_label(outcome)}")
    return 0
