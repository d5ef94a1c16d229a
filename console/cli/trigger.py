"""Triggers: the file that declares them, checked, tried and loaded."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from pathlib import Path
from typing import Annotated

import typer

from console.cli.options import AsJson, group

app = group("Declare which events make which mailings.")

TriggerFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The TOML file that declares the triggers.")
]


@app.command()
def check(file: TriggerFile) -> int:
    """Say everything that is wrong with a file; changes nothing."""
    from console.actions.triggers import check_file

    return check_file(file)


@app.command()
def load(file: TriggerFile) -> int:
    """Put a file's triggers in force, each under a version, and retire every other."""
    from console.actions.triggers import load_file

    return load_file(file)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the triggers in force."""
    from console.actions.triggers import list_triggers

    list_triggers(as_json=as_json)


@app.command("try")
def try_(
    event: Annotated[Path, typer.Argument(metavar="EVENT", help="A CloudEvent as JSON, in structured mode.")],
    file: Annotated[
        Path | None, typer.Option("--triggers", metavar="FILE", help="Try this file, not what is in force.")
    ] = None,
) -> int:
    """Say what a sample event would do; nothing is stored, nothing is sent."""
    from console.actions.triggers import try_event

    return try_event(event, file)
