"""Arming a restored or copied database, in a person's hands."""

import typer
from sqlalchemy import Engine, select

from console.actions.decisions import who
from console.actions.operations.orphans import open_worker_context
from console.output import print_note, print_result
from console.questions import require_terminal
from models import Installation
from worker.clock import system_clock
from worker.installation import activation
from worker.installation.activation import RestoreReport


def arm(*, yes: bool) -> int:
    """Show what LettrLabs knows and this database does not; agreed to, let the database send."""
    with open_worker_context() as context:
        disarmed_why, shared_why = _findings(context.engine)
        if disarmed_why is None and shared_why is None:
            print_result("This database is armed: nothing keeps it from sending.")
            return 0
        if disarmed_why is not None:
            print_result(f"This database does not send: {disarmed_why}.")
        if shared_why is not None:
            print_result(f"The account is used as a shared one: {shared_why}.")
        window = context.settings.visibility_window_seconds
        print_note(
            f"Reads LettrLabs' orders, and where a mailing would go on reads them again after {window:g} s."
        )
        found = activation.compare_with_vendor(context)
        print_result(*_told(found))
        if not yes and not _agreed():
            print_note("Nothing was changed: the database stays disarmed.")
            return 1
        held_back = activation.activate(context, found, who(), system_clock())
        print_result(f"Armed. {held_back} mailings went to attention instead: see `mailrun attention list`.")
    return 0


def _findings(engine: Engine) -> tuple[str | None, str | None]:
    """Return why the database does not send, and why the account passes for shared; None if neither is so."""
    with engine.connect() as connection:
        row = connection.execute(select(Installation.disarmed_why, Installation.shared_why)).one()
    return row.disarmed_why, row.shared_why


def _told(found: RestoreReport) -> list[str]:
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(found.unknown_by_status.items()))
    lines = [
        f"LettrLabs lists {found.orders_read} orders; this database does not know {len(found.unknown)} of them"
        + (f": {statuses}." if statuses else "."),
        f"{found.unfinished} mailings here are unfinished and would go on.",
    ]
    lines += [
        f"mailing {mailing_id} has people of order {order_id}: it will be held back for you to look at."
        for mailing_id, order_id in found.suspects.items()
    ]
    return lines


def _agreed() -> bool:
    require_terminal("arm, once you have read this,", yes=False)
    return typer.confirm("Is this the database that is to send from now on?")
