"""Options that several commands share."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most this many.")]
CampaignId = Annotated[int, typer.Argument(metavar="ID", min=1, help="The campaign's number.")]
MailingId = Annotated[int, typer.Argument(metavar="ID", min=1, help="The mailing's number.")]
MailingIds = Annotated[list[int], typer.Argument(metavar="ID...", min=1, help="Numbers of mailings.")]

SendAt = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Pay and mail not before this wall time, such as 2026-12-01T09:00."),
]
HoldUntil = Annotated[
    str | None, typer.Option(metavar="DATE", help="Hold it until this date, such as 2026-12-01.")
]
HoldMode = Annotated[
    str | None,
    typer.Option(help="local: held here, unpaid and cancellable (the default); vendor: paid, held there."),
]
DeliverBy = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="The cheapest postage and speed that arrive by this date."),
]
Zone = Annotated[
    str | None, typer.Option(help="IANA zone of the times, such as America/Chicago; else MAILRUN_ZONE.")
]
IfLate = Annotated[
    str | None,
    typer.Option(
        metavar="POLICY",
        help="If its time is missed by over a day: send, skip or ask (the default); or skip:2h.",
    ),
]

ColumnMapping = Annotated[
    list[str] | None,
    typer.Option(
        "--mapping",
        metavar="HEADING=FIELD",
        help='What a column holds, such as "Ship to=address1", or HEADING=ignore; or a file of pairs. Repeatable.',
    ),
]
SaveMapping = Annotated[
    str | None,
    typer.Option("--save-mapping", metavar="NAME", help="Keep the mapping for lists with the same headings."),
]
Sheet = Annotated[
    str | None,
    typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook, where several are filled."),
]

Actor = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="By what name this is written down; else your login's."),
]

ApproveYes = Annotated[
    bool, typer.Option("--yes", help="Approve without asking: for scripts, where there is no terminal.")
]
EachOrder = Annotated[bool, typer.Option("--orders", help="Show each order as well as their sum.")]


def group(words: str) -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(help=words, no_args_is_help=True, add_completion=False)
