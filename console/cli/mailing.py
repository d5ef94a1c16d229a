"""Mailings: each becomes exactly one order."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from pathlib import Path
from typing import Annotated

import typer

from console.cli.options import AsJson, Limit, MailingId, group

app = group("Look at single orders.")


@app.command("list")
def list_(
    *,
    campaign: Annotated[int | None, typer.Option(min=1, help="Only those of this campaign.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those in this state, such as approval.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List mailings, newest first."""
    from console.option_values import state_named
    from console.output import print_result, show_json
    from console.queries.mailings import list_mailings
    from console.session import open_session
    from console.views.mailings import mailing_table

    wanted = state_named(state)
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = list_mailings(connection, campaign_id=campaign, state=wanted, limit=limit)
        if as_json:
            show_json(session.vendor, mailings=found)
        else:
            print_result(mailing_table(found) if found else "No such mailings.")


@app.command()
def show(
    mailing_id: MailingId,
    *,
    people: Annotated[bool, typer.Option("--people", help="Name everybody, with address.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one mailing: timeline, quote, people, charges, calls to LettrLabs."""
    from console.actions.mailings import open_dossier

    open_dossier(mailing_id, people=people, as_json=as_json)


@app.command()
def proof(
    mailing_id: MailingId,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the PDF goes.")],
) -> None:
    """Save what the first person of a mailing will get, as a PDF."""
    from console.actions.mailings import proof_to

    proof_to(mailing_id, output)
