"""Resolving what needs a person: what was seen, what can be done about it, and doing it."""

from dataclasses import asdict

from console.actions import decisions
from console.actions.payment_check import require_unpaid
from console.errors import CommandError, UsageError
from console.output import print_result, show_json, show_lines
from console.queries.actions import ACCEPT, CANCEL, MEANINGS, attention_actions, resolutions
from console.queries.attention import Asking, asking, facts_seen
from console.session import Session, open_session
from console.views.attention import accepted_table, action_lines, asking_facts
from console.views.mailings import seen_table
from worker.approvals import ApprovalOutcome
from worker.billing.acceptances import revoke, standing
from worker.clock import system_clock
from worker.transitions import Resolution


def show_asking(mailing_id: int, *, as_json: bool) -> None:
    """Print why a mailing needs attention; raises Complaint if it does not."""
    with open_session(quiet=as_json) as session:
        one = _asking(session, mailing_id)
        with session.engine.connect() as connection:
            seen = facts_seen(connection, mailing_id)
        if as_json:
            possible = resolutions(one.stage, one.reason_code)
            show_json(session.vendor, attention=asdict(one) | {"seen": seen, "possible": possible})
            return
        actions = attention_actions(one.mailing_id, one.stage, one.reason_code, system_clock())
        print_result(asking_facts(one), "", "What was seen:", seen_table(seen), "", "What can be done:")
        show_lines(*action_lines(actions))


def resolve(
    mailing_id: int, ways: list[str], why: str, actor: str | None = None, *, from_now_on: bool = False
) -> int:
    """Carry out one decision; raises UsageComplaint unless it is exactly one, Complaint if it does not apply."""
    if len(ways) != 1:
        raise UsageError("say exactly one of --retry, --pay-again, --sent, --failed, --accept and --cancel")
    if not why.strip():
        raise UsageError("--why: must say what you found out")
    way = ways[0]
    if from_now_on and way != ACCEPT:
        raise UsageError("--from-now-on: goes with --accept alone")
    with open_session() as session:
        one = _asking(session, mailing_id)
        if way == ACCEPT:
            return _accept(session, one, why, decisions.who(actor), from_now_on=from_now_on)
        require_unpaid(session, one, way)
        if way == CANCEL:
            outcomes = decisions.cancel_all(session, [mailing_id])
            print_result(f"mailing {mailing_id}: {decisions.outcome_label(outcomes[mailing_id])}")
            return 1 if decisions.has_failed(outcomes) else 0
        if not decisions.resolve(session, mailing_id, Resolution(way), why):
            raise CommandError(f"mailing {mailing_id} cannot be resolved so: it stands at {one.stage}")
        print_result(f"mailing {mailing_id}: {MEANINGS[way]}")
    return 0


def _accept(session: Session, one: Asking, why: str, who: str, *, from_now_on: bool) -> int:
    outcome = decisions.accept(session, one.mailing_id, why.strip(), who, from_now_on=from_now_on)
    if outcome is not ApprovalOutcome.ACCEPTED:
        raise CommandError(f"mailing {one.mailing_id} {outcome}")
    scope = "for the account, from now on" if from_now_on else "for this mailing"
    print_result(f"mailing {one.mailing_id}: accepted by {who}, {scope}: {one.reason}")
    return 0


def show_accepted(*, as_json: bool) -> None:
    """Print the kinds of difference that are accepted for the account."""
    with open_session(quiet=as_json) as session:
        with session.engine.connect() as connection:
            found = standing(connection)
        if as_json:
            show_json(session.vendor, accepted=[asdict(one) for one in found])
        else:
            print_result(
                accepted_table(found) if found else "No kind of difference is accepted for the account."
            )


def revoke_accepted(number: int, why: str, actor: str | None) -> int:
    """Take back the acceptance of a kind; raises Complaint if there is none of this number."""
    if not why.strip():
        raise UsageError("--why: must say why it is taken back")
    who = decisions.who(actor)
    with open_session() as session, session.engine.begin() as connection:
        if not revoke(connection, number, who, why.strip(), system_clock()):
            raise CommandError(f"there is no accepted difference {number}; see `mailrun attention accepted`")
    print_result(f"accepted difference {number}: revoked by {who}")
    return 0


def _asking(session: Session, mailing_id: int) -> Asking:
    with session.engine.connect() as connection:
        one = asking(connection, mailing_id)
    if one is None:
        raise CommandError(f"mailing {mailing_id} does not need attention; see `mailrun attention list`")
    return one
