"""All that is known about one mailing."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import RenderableType
from sqlalchemy import Connection

from console.actions.approvals import save_proof
from console.errors import CommandError
from console.output import print_result, show_json, show_lines
from console.queries import recipients
from console.queries.mailings import CallMade, Event, MailingFacts, calls, mailing, timeline
from console.queries.quotes import ChargeFacts, QuoteFacts, charges, latest_quote
from console.queries.recipients import OutcomeCount, RecipientFacts
from console.session import open_session
from console.views.mailings import call_table, mailing_facts, timeline_table
from console.views.quotes import charge_table, delivery_words, quote_table
from console.views.recipients import outcome_table, person_table

# A mailing that waited out a long outage has thousands of moves; the newest tell the story.
NEWEST = 100


@dataclass(frozen=True, slots=True)
class MailingDetails:
    """A mailing with everything that hangs on it; `people` only where they were asked for."""

    mailing: MailingFacts
    timeline: list[Event]
    outcomes: list[OutcomeCount]
    quote: QuoteFacts | None
    charges: list[ChargeFacts]
    calls: list[CallMade]
    people: list[RecipientFacts] | None


def open_dossier(mailing_id: int, *, people: bool, as_json: bool) -> None:
    """Print all that is known about a mailing; raises Complaint if there is no such mailing."""
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        dossier = _collect(connection, mailing_id, people=people)
        if as_json:
            show_json(session.vendor, **_told(dossier))
        else:
            for part in _pages(dossier):
                print_result(part, "")


def proof_to(mailing_id: int, path: Path) -> None:
    """Save a mailing's proof as a file; raises Complaint if there is no such mailing, or no proof of it yet."""
    with open_session() as session:
        if save_proof(session, mailing_id, path) is None:
            with session.engine.connect() as connection:
                _existing(connection, mailing_id)
            raise CommandError(
                f"mailing {mailing_id} has no proof yet; see `mailrun mailing show {mailing_id}`"
            )
    show_lines(f"Saved {path}")


def _existing(connection: Connection, mailing_id: int) -> MailingFacts:
    found = mailing(connection, mailing_id)
    if found is None:
        raise CommandError(f"there is no mailing {mailing_id}; see `mailrun mailing list`")
    return found


def _collect(connection: Connection, mailing_id: int, *, people: bool) -> MailingDetails:
    found = _existing(connection, mailing_id)
    return MailingDetails(
        mailing=found,
        timeline=timeline(connection, mailing_id, NEWEST),
        outcomes=recipients.outcomes(connection, mailing_id),
        quote=latest_quote(connection, mailing_id),
        charges=charges(connection, mailing_id),
        calls=calls(connection, mailing_id, NEWEST),
        people=recipients.people(connection, mailing_id) if people else None,
    )


def _told(dossier: MailingDetails) -> dict[str, object]:
    told = asdict(dossier)
    if dossier.people is None:
        del told["people"]
        for call in told["calls"]:
            del call["words"]  # LettrLabs' own, which may quote an address
    return told


def _pages(dossier: MailingDetails) -> Iterator[RenderableType]:
    yield mailing_facts(dossier.mailing)
    yield timeline_table(dossier.timeline)
    if dossier.quote is not None:
        yield quote_table(dossier.quote, "Quote")
        yield delivery_words(dossier.quote)
    yield outcome_table(dossier.outcomes) if dossier.people is None else person_table(dossier.people)
    if dossier.charges:
        yield charge_table(dossier.charges)
    yield call_table(dossier.calls)
