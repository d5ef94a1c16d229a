"""How offers, budgets and the ledger look."""

from collections.abc import Iterable

from rich.table import Table

from console.queries.ledger import AMOUNTS, Grouping, LedgerLine
from console.views.formatting import cost, count, money, table, text
from worker.billing.approval_terms import ApprovalTerms
from worker.billing.budget_limits import BudgetUsage
from worker.billing.budgets import scope_label

_NUMBERS = (
    "limit",
    "taken",
    "left",
    "quoted",
    "approved",
    "charged",
    "credited",
    "paid",
    "from_credits",
    "difference",
    "pieces",
)
_SHOWN_OF_A_HASH = 12


def terms_label(offer: ApprovalTerms) -> str:
    """Return what an approval is of, in one line; hashes by their beginnings."""
    told = ", ".join(f"{name} {value}" for name, value in offer.options.items() if value is not None)
    return (
        f"{cost(offer.total, offer.from_credits)} for {count(offer.pieces, 'piece')} ({told}); "
        f"recipients {_begin(offer.recipients_digest)}, proof {_begin(offer.proof_sha256)}"
    )


def budget_table(standings: Iterable[BudgetUsage]) -> Table:
    """Return one line for each limit."""
    rows = table("whose", "limit of", "limit", "taken", "left", right=_NUMBERS)
    for one in standings:
        whose = scope_label(one.purse, one.subject).removeprefix("the budget of ").removesuffix("'s budget")
        rows.add_row(whose, one.limit.replace("_", " "), money(one.amount), money(one.taken), money(one.left))
    return rows


def ledger_table(entries: Iterable[LedgerLine], by: Grouping) -> Table:
    """Return one line for each order, campaign or day, and their sums."""
    listed = list(entries)
    # A column of nothing but zeros would crowd the others out.
    amounts = [name for name in AMOUNTS if name != "from_credits" or any(one.from_credits for one in listed)]
    headings = [name.replace("from_credits", "from credits") for name in amounts]
    names = () if by is Grouping.DAY else ("name" if by is Grouping.CAMPAIGN else "campaign",)
    rows = table(by.value, *names, "pieces", *headings, right=(*_NUMBERS, "from credits"), fold=names)
    for one in listed:
        rows.add_row(
            one.label,
            *(text(one.name) for _ in names),
            f"{one.pieces:,}",
            *(money(getattr(one, name)) for name in amounts),
        )
    return rows


def _begin(digest: bytes | None) -> str:
    return "-" if digest is None else digest.hex()[:_SHOWN_OF_A_HASH]
