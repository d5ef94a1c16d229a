"""What keeps an account clean and a copied database quiet: strays and arming."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from pathlib import Path
from typing import Annotated

import typer

from console.cli.options import AsJson, group

app = group("Keep the account clean.")
strays = group("See drafts at LettrLabs that no mailing explains, and delete them.")

OrderIds = Annotated[
    list[int], typer.Argument(metavar="ORDER...", min=1, help="Numbers of LettrLabs orders.")
]


@app.command(rich_help_panel="Decide")
def arm(
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask: the survey is printed all the same.")
    ] = False,
) -> int:
    """Let a restored or copied database send, having shown what LettrLabs knows and it does not."""
    from console.actions.operations.activation import arm

    return arm(yes=yes)


@app.command(rich_help_panel="Run")
def archive(
    before: Annotated[
        str, typer.Option("--before", metavar="DATE", help="Mailings that ended before this date.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="A new file, written as gzip.")
    ],
) -> None:
    """Move the journal and the log of mailings that ended long ago to a file; mailings and sums stay."""
    from console.actions.operations.archive import archive_evidence

    archive_evidence(before, output)


@strays.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the strays that the hourly look has found."""
    from console.actions.operations.orphans import list_strays

    list_strays(as_json=as_json)


@strays.command()
def look() -> int:
    """Look now, as the beat does by the hour."""
    from console.actions.operations.orphans import look

    return look()


@strays.command()
def delete(order_ids: OrderIds) -> int:
    """Delete strays at LettrLabs: only drafts, and none that a mailing uses."""
    from console.actions.operations.orphans import delete_strays

    return delete_strays(order_ids)
