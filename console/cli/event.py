"""Events: what came in, and what became of each."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from typing import Annotated

import typer

from console.cli.options import AsJson, Limit, group

app = group("Follow events.")

EventId = Annotated[
    int, typer.Argument(metavar="ID", min=1, help="The event's number, as its receipt has it.")
]
EventIds = Annotated[list[int], typer.Argument(metavar="ID...", min=1, help="Numbers of events.")]


@app.command("list")
def list_(
    *,
    outcome: Annotated[
        str | None, typer.Option(help="Only these: paid, mailed, suppressed, capped, unmatched, failed, …")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only those of one source.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List events, newest first, with what became of them."""
    from console.actions.events import list_events

    list_events(outcome, source, limit, as_json=as_json)


@app.command()
def show(number: EventId, *, as_json: AsJson = False) -> None:
    """Show an event's receipt: what each trigger made of it, and why."""
    from console.actions.events import show_event

    show_event(number, as_json=as_json)


@app.command()
def replay(numbers: EventIds) -> int:
    """Answer events anew where nobody was, or will be, mailed for them."""
    from console.actions.events import replay_events

    return replay_events(numbers)


@app.command()
def secret() -> None:
    """Print a fresh secret to sign events with, for MAILRUN_EVENT_SECRETS."""
    from console.output import print_result
    from worker.webhooks.signatures import fresh_secret

    print_result(fresh_secret())
