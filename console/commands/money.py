"""Money: budgets, the ledger, and the evidence of what was agreed and paid."""
# ruff: noqa: PLC0415 - see console/commands/__init__.py

from typing import Annotated

import typer

from console.commands.options import Actor, AsJson, group

app = group("Follow the money.")
budget = group("Limit what may be spent.")
_PANEL = "Money"
_Limit = Annotated[str | None, typer.Option(metavar="AMOUNT|none")]


@budget.command("set")
def set_(
    whose: Annotated[str, typer.Argument(metavar="account|campaign:ID|trigger:ID", help="Whose money.")],
    *,
    total: _Limit = None,
    per_day: _Limit = None,
    per_month: _Limit = None,
    per_piece: _Limit = None,
    actor: Actor = None,
) -> int:
    """Set limits; those that are not mentioned stay. Orders that waited for it are tried again."""
    from console.amounts import changed_limits
    from console.bookkeeping import set_budget

    limits = changed_limits(total=total, per_day=per_day, per_month=per_month, per_piece=per_piece)
    return set_budget(whose, limits, actor)


@budget.command()
def show(*, as_json: AsJson = False) -> None:
    """Show every limit, what is reserved and spent of it, and what is left."""
    from console.bookkeeping import show_budgets

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
    from console.bookkeeping import show_ledger

    show_ledger(by, since, until, as_csv=as_csv, as_json=as_json)
