"""What the commands about money do: set and show budgets, print the ledger."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from console.actions import decisions
from console.errors import CommandError, UsageError
from console.output import print_note, print_result, show_json
from console.queries.ledger import Grouping, LedgerLine, ledger, total
from console.session import Session, open_session
from console.views.budgets import budget_table, ledger_table
from console.views.formatting import count
from intake.rfc3339 import full_date
from models import BudgetScope, Campaign, Token, Trigger
from worker import transitions
from worker.billing import budget_limits
from worker.billing.budgets import scope_label
from worker.clock import system_clock

_SUBJECTS: Final = {
    BudgetScope.CAMPAIGN: Campaign.id,
    BudgetScope.TRIGGER: Trigger.id,
    BudgetScope.TOKEN: Token.id,
}


def set_budget(whose: str, limits: dict[str, Decimal | None], actor: str | None) -> int:
    """Set limits of a purse, and let what waits for it try again; raises Complaint for a subject there is not."""
    purse, subject = _purse(whose)
    who = decisions.who(actor)
    with open_session() as session:
        _require(session, purse, subject)
        with session.engine.begin() as connection:
            budget_limits.set_limits(connection, purse, subject, limits, who, system_clock())
        woken = _wake(session, purse, subject, who)
        _show(session, as_json=False)
    if woken:
        print_note(f"{count(woken, 'order')} waited for it and will be tried again.")
    return 0


def show_budgets(*, as_json: bool) -> None:
    """Print every limit with what is taken of it."""
    with open_session(quiet=as_json) as session:
        _show(session, as_json=as_json)


def show_ledger(by: str, since: str | None, until: str | None, *, as_csv: bool, as_json: bool) -> None:
    """Print the ledger; raises UsageComplaint for a word or a day that is none."""
    if by.casefold() not in list(Grouping):
        raise UsageError(f'--by "{by}": there are {", ".join(Grouping)}')
    grouping = Grouping(by.casefold())
    if as_csv and as_json:
        raise UsageError("say --csv or --json, not both")
    first, last = _day("--from", since), _day("--to", until)
    if first and last and first > last:
        raise UsageError(f"--from {first} is later than --to {last}")
    with open_session(quiet=as_csv or as_json) as session, session.engine.connect() as connection:
        entries = ledger(connection, grouping, zone=session.settings.zone, since=first, until=last)
        if as_json:
            show_json(session.vendor, by=grouping, ledger=entries, total=total(entries))
        elif as_csv:
            _write_csv(entries, grouping)
        else:
            print_result(
                ledger_table([*entries, total(entries)], grouping) if entries else "The ledger is empty."
            )


def _write_csv(entries: Sequence[LedgerLine], by: Grouping) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([by.value, *(field.name for field in fields(LedgerLine)[1:])])
    writer.writerows(asdict(entry).values() for entry in entries)


def _show(session: Session, *, as_json: bool) -> None:
    today = system_clock().astimezone(ZoneInfo(session.settings.zone)).date()
    with session.engine.connect() as connection:
        found = budget_limits.standings(connection, today)
    if as_json:
        budgets = [asdict(one) | {"left": one.left} for one in found]
        show_json(session.vendor, day=today.isoformat(), budgets=budgets)
    else:
        print_result(budget_table(found) if found else "No budgets are set: see mailrun budget set --help")


def _wake(session: Session, purse: BudgetScope, subject: int, who: str) -> int:
    # A mailing's row is locked before its purses', never after: hence a transaction of its own for each.
    with session.engine.connect() as connection:
        waiting = budget_limits.waiting(connection, purse, subject)
    woken = 0
    for mailing_id in waiting:
        with session.engine.begin() as connection:
            woken += transitions.retry_budget(connection, mailing_id, who, system_clock())
    return woken


def _purse(whose: str) -> tuple[BudgetScope, int]:
    name, colon, number = whose.casefold().partition(":")
    if name == BudgetScope.ACCOUNT and not colon:
        return BudgetScope.ACCOUNT, 0
    if name in set(_SUBJECTS) and number.isdecimal() and int(number) > 0:
        return BudgetScope(name), int(number)
    raise UsageError(f'"{whose}": must be account, campaign:ID, trigger:ID or token:ID')


def _require(session: Session, purse: BudgetScope, subject: int) -> None:
    if purse not in _SUBJECTS:
        return
    column = _SUBJECTS[purse]
    with session.engine.connect() as connection:
        there = connection.scalar(column.table.select().with_only_columns(column).where(column == subject))
    if there is None:
        raise CommandError(f"{scope_label(purse, subject)} cannot be set: there is no {purse} {subject}")


def _day(option: str, given: str | None) -> date | None:
    if given is None:
        return None
    try:
        return full_date(given)
    except ValueError:
        raise UsageError(f'{option} "{given}": must be a day such as 2026-12-01') from None
