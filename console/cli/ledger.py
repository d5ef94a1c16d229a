"""Money: budgets, the ledger, and the evidence of what was agreed and paid."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from pathlib import Path
from typing import Annotated

import typer

from console.cli.options import Actor, AsJson, group

app = group("Follow the money.")
budget = group("Limit what may be spent.")
_PANEL = "Money"
_Limit = Annotated[str | None, typer.Option(metavar="AMOUNT|none")]


@budget.command("set")
def set_(
    whose: Annotated[
        str, typer.Argument(metavar="account|campaign:ID|trigger:ID|token:ID", help="Whose money.")
    ],
    *,
    total: _Limit = None,
    per_day: _Limit = None,
    per_month: _Limit = None,
    per_piece: _Limit = None,
    actor: Actor = None,
) -> int:
    """Set limits; those that are not mentioned stay. Orders that waited for it are tried again."""
    from console.actions.budgets import set_budget
    from console.amounts import changed_limits

    limits = changed_limits(total=total, per_day=per_day, per_month=per_month, per_piece=per_piece)
    return set_budget(whose, limits, actor)


@budget.command()
def show(*, as_json: AsJson = False) -> None:
    """Show every limit, what is reserved and spent of it, and what is left."""
    from console.actions.budgets import show_budgets

    show_budgets(as_json=as_json)


@app.command(rich_help_panel=_PANEL)
def ledger(
    *,
    by: Annotated[str, typer.Option(help="order, campaign or day.")] = "campaign",
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Paid on or after.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Paid on or before.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what was quoted, approved, charged and credited."""
    from console.actions.budgets import show_ledger

    show_ledger(by, since, until, as_csv=as_csv, as_json=as_json)


@app.command(rich_help_panel=_PANEL)
def evidence(
    mailing_id: Annotated[
        int | None, typer.Argument(metavar="ID", min=1, help="The mailing's number.")
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR|FILE.zip", help="Where it goes; else evidence-ID."),
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(metavar="DIR|FILE", help="Instead: look whether evidence was changed.")
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="With --verify: the head that was printed then.")
    ] = None,
) -> int:
    """Write down who approved what, what was asked, answered and paid, chained by hash; or verify that."""
    from console.actions.evidence import verify_evidence, write_evidence
    from console.errors import UsageError

    if verify is not None and mailing_id is None and output is None:
        return verify_evidence(verify, head)
    if mailing_id is not None and verify is None and head is None:
        return write_evidence(mailing_id, output or Path(f"evidence-{mailing_id}"))
    raise UsageError("say which mailing, or --verify alone, with --head if you have it")
