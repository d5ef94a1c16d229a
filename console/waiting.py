"""What waits for a person, listed with the commands that answer it."""

from collections.abc import Iterable

from console.output import print_result, show_json, show_lines
from console.queries import attention
from console.queries.pending import Kind, Pending, count_pending, list_pending
from console.session import open_session
from console.views.attention import action_lines, pending_heading, pending_reason, waiting_table
from worker.clock import system_clock


def list_waiting(limit: int, *, as_json: bool) -> None:
    """Print everything that waits for a person, and what has waited long for the vendor."""
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = list_pending(connection, system_clock(), limit)
        late = attention.list_waiting(connection, system_clock(), limit)
        if as_json:
            show_json(session.vendor, **by_kind(found), waiting=late)
            return
        show_pending(found)
        if late:
            print_result("", "Waiting long for LettrLabs:", waiting_table(late))


def by_kind(found: Iterable[Pending]) -> dict[str, list[Pending]]:
    """Return what waits for a person, by why."""
    every = list(found)
    names = {"attention": Kind.ATTENTION, "approvals": Kind.APPROVAL, "failed_campaigns": Kind.FAILED}
    return {name: [one for one in every if one.kind is kind] for name, kind in names.items()}


def show_pending(found: Iterable[Pending]) -> None:
    """Print what waits for a person: what it is, why, and each command that answers it."""
    every = list(found)
    if not count_pending(every)[Kind.ATTENTION]:
        print_result("Nothing needs attention.")
    for one in every:
        print_result("", pending_heading(one))
        reason = pending_reason(one)
        if reason:
            print_result(reason)
        show_lines(*action_lines(one.actions))
