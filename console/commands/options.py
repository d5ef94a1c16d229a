"""Options that several commands share."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most this many.")]
CampaignId = Annotated[int, typer.Argument(metavar="ID", min=1, help="The campaign's number.")]
MailingId = Annotated[int, typer.Argument(metavar="ID", min=1, help="The mailing's number.")]
MailingIds = Annotated[list[int], typer.Argument(metavar="ID...", min=1, help="Numbers of mailings.")]


def group(words: str) -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(help=words, no_args_is_help=True, add_completion=False)
