"""What the deciding commands do: carry it out, and say what came of it."""

from collections.abc import Iterable
from datetime import timedelta

from console.actions import decisions
from console.actions.approvals import approve
from console.actions.campaigns.watch import no_campaign
from console.errors import CommandError, UsageError
from console.output import print_note, print_result
from console.queries import campaigns
from console.questions import require_terminal
from console.session import Session, open_session
from models import OPEN, State
from worker import transitions
from worker.approvals import ApprovalOutcome
from worker.clock import system_clock


def approve_mailings(mailing_ids: list[int], actor: str | None, *, yes: bool, orders: bool) -> int:
    """Show what these mailings offer, and approve it if the person agrees; returns 1 if one cannot be approved."""
    require_terminal("approve", yes=yes)
    asked = list(dict.fromkeys(mailing_ids))
    with open_session() as session:
        return approve(session, asked, decisions.who(actor), yes=yes, orders=orders)


def reject_mailings(mailing_ids: list[int], why: str, actor: str | None) -> int:
    """Refuse these mailings; returns 1 if one of them did not wait for approval."""
    if not why.strip():
        raise UsageError("--why: must say what is wrong with it")
    asked = list(dict.fromkeys(mailing_ids))
    with open_session() as session:
        rejected = decisions.reject_all(session, asked, why.strip(), decisions.who(actor))
    for one in asked:
        if one in rejected:
            print_result(f"mailing {one}: rejected; a worker deletes its draft")
        else:
            print_note(f"mailing {one}: {ApprovalOutcome.NOT_WAITING}")
    return 0 if len(rejected) == len(asked) else 1


def approve_campaign(campaign_id: int, actor: str | None, *, yes: bool, orders: bool) -> int:
    """Show what a campaign's orders offer that wait for approval, and approve it if the person agrees."""
    require_terminal("approve", yes=yes)
    with open_session() as session:
        ready = _mailings_of(session, campaign_id, State.APPROVAL)
        if not ready:
            raise CommandError(f"nothing of campaign {campaign_id} waits for approval")
        return approve(session, ready, decisions.who(actor), yes=yes, orders=orders)


def cancel_mailings(mailing_ids: list[int]) -> int:
    """Cancel these mailings; returns 1 if one goes on in spite of it."""
    with open_session() as session:
        return _cancel(session, mailing_ids)


def cancel_campaign(campaign_id: int) -> int:
    """Cancel a campaign's mailings as far as it still can be done."""
    with open_session() as session:
        open_ones = _mailings_of(session, campaign_id, *OPEN)
        if not open_ones:
            raise CommandError(f"campaign {campaign_id} has ended: nothing of it can be cancelled any more")
        return _cancel(session, open_ones)


def pause(campaign_id: int | None) -> None:
    """Pause a campaign, or everything; raises Complaint if the campaign has ended."""
    with open_session() as session:
        _require_open(session, campaign_id, "paused")
        with session.engine.begin() as connection:
            changed = transitions.pause(connection, campaign_id, system_clock())
    words = "is paused: nothing more is created, attached or paid" if changed else "was paused already"
    print_note(f"{_subject(campaign_id)} {words}.")


def resume(campaign_id: int | None) -> None:
    """Take back the pause of a campaign, or of everything; raises Complaint if the campaign has ended."""
    with open_session() as session:
        _require_open(session, campaign_id, "resumed")
        again = timedelta(seconds=session.settings.push_again_seconds)
        with session.engine.begin() as connection:
            changed = transitions.unpause(connection, campaign_id, system_clock(), again)
    print_note(f"{_subject(campaign_id)} {'goes on' if changed else 'was not paused'}.")


def _subject(campaign_id: int | None) -> str:
    return "Everything" if campaign_id is None else f"Campaign {campaign_id}"


def _require(session: Session, campaign_id: int | None) -> None:
    if campaign_id is None:
        return
    with session.engine.connect() as connection:
        if campaigns.campaign(connection, campaign_id) is None:
            raise no_campaign(campaign_id)


def _require_open(session: Session, campaign_id: int | None, what: str) -> None:
    if campaign_id is not None and not _mailings_of(session, campaign_id, *OPEN):
        raise CommandError(f"campaign {campaign_id} has ended: nothing of it can be {what} any more")


def _mailings_of(session: Session, campaign_id: int, *states: State) -> list[int]:
    _require(session, campaign_id)
    with session.engine.connect() as connection:
        return campaigns.mailings_in(connection, campaign_id, *states)


def _cancel(session: Session, mailing_ids: Iterable[int]) -> int:
    outcomes = decisions.cancel_all(session, dict.fromkeys(mailing_ids))
    for one, outcome in outcomes.items():
        print_result(f"mailing {one}: {decisions.outcome_label(outcome)}")
    return 1 if decisions.has_failed(outcomes) else 0
