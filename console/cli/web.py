"""The HTTP interface: run it, and say who may use it."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from enum import StrEnum
from typing import Annotated

import typer

from console.cli.options import AsJson, group


class Approvals(StrEnum):
    """What a token's submissions may be bound to."""

    REQUIRED = "required"


app = group("Serve HTTP.")
token = group("Make, list and revoke the tokens of the HTTP interface.")

TokenName = Annotated[str, typer.Argument(metavar="NAME", help="What the token is called, such as shop.")]


@app.command(rich_help_panel="Run")
def web(
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 for everywhere.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8780,
) -> int:
    """Serve HTTP: events, mailings and campaigns come in, receipts go out."""
    from console.actions.operations.serve import run_web

    return run_web(host, port)


@token.command()
def create(
    name: TokenName,
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help="What it is good for, at least one: repeat the option, or give all."),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="DAYS|never", help="Days until the token expires, or never.")
    ] = "365",
    approval: Annotated[
        Approvals | None,
        typer.Option(help="required: an approver must agree to each payment for what the token submits."),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="The person who answers for what it submits, and may not approve it; else you."),
    ] = None,
) -> None:
    """Make a token and print it, the only time that it can be seen."""
    from console.actions.tokens import create_token

    create_token(name, scopes or [], owner, expires=expires, approval_required=approval is not None)


@token.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the tokens there are and were."""
    from console.actions.tokens import list_tokens

    list_tokens(as_json=as_json)


@token.command()
def revoke(name: TokenName) -> None:
    """Take a token's rights away, from the next request on."""
    from console.actions.tokens import revoke_token

    revoke_token(name)
