"""Events in a person's hands."""

from console.errors import CommandError, UsageError
from console.output import print_note, print_result, show_json
from console.session import open_session
from console.views.formatting import table, text, when
from intake.events import inbox
from intake.events.receipts import Receipt, list_receipts, receipt
from models import EventOutcome
from worker.clock import system_clock


def list_events(outcome: str | None, source: str | None, limit: int, *, as_json: bool) -> None:
    """Print the newest events."""
    if outcome is not None and outcome not in set(EventOutcome):
        raise UsageError(f'there is no outcome "{outcome}": there are {", ".join(EventOutcome)}')
    wanted = None if outcome is None else EventOutcome(outcome)
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = list_receipts(connection, limit=limit, outcome=wanted, source=source)
        if as_json:
            show_json(session.vendor, events=found)
            return
    rows = table("event", "received", "type", "outcome", "mailings", "why", right=("event",), fold=("why",))
    for one in found:
        mailings = ", ".join(str(answer.mailing) for answer in one.answers if answer.mailing) or "-"
        rows.add_row(
            text(one.number),
            when(one.received_at),
            text(one.type),
            one.outcome,
            mailings,
            text(one.reason or ""),
        )
    print_result(rows if found else "No events.")


def show_event(number: int, *, as_json: bool) -> None:
    """Print one receipt; raises Complaint if there is no such event."""
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = receipt(connection, number)
        if found is None:
            raise CommandError(f"there is no event {number}")
        if as_json:
            show_json(session.vendor, event=found)
            return
    _show(found)


def _show(found: Receipt) -> None:
    print_result(
        f"Event {found.number}: {found.outcome}{f' ({found.reason})' if found.reason else ''}",
        f"source {found.source}, id {found.id}, type {found.type}, received {when(found.received_at)}",
    )
    if not found.answers:
        return
    rows = table("trigger", "version", "outcome", "mailing", "order", "place", "due", "why", fold=("why",))
    for one in found.answers:
        numbers = (one.mailing, one.order, one.position)
        rows.add_row(
            text(one.trigger),
            str(one.version),
            one.outcome,
            *("-" if number is None else str(number) for number in numbers),
            when(one.due),
            text(one.reason or ""),
        )
    print_result("", rows)


def replay_events(numbers: list[int]) -> int:
    """Have events answered anew; returns 1 if one of them is not there."""
    missing = 0
    with open_session() as session:
        for number in numbers:
            with session.engine.begin() as connection:
                found = inbox.replay(connection, number, system_clock())
            missing += not found
            words = "is answered anew where nobody was mailed for it" if found else "is not there"
            print_note(f"Event {number} {words}.")
    return 1 if missing else 0
