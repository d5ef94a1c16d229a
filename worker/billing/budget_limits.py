"""Purses: setting the limits of the account, a campaign or a trigger, and seeing what is left of them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert

from models import Budget, BudgetScope, Mailing, State, Token
from worker.billing.amounts import require_money
from worker.billing.budgets import OVER_BUDGET, committed_amount, limits_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one purse, in the vendor's currency; None is no limit.

    Raises ValueError, in words, for what is not an amount of money.
    """

    total: Decimal | None = None
    per_day: Decimal | None = None
    per_month: Decimal | None = None
    per_piece: Decimal | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            require_money(getattr(self, field.name))

    @property
    def given(self) -> dict[str, Decimal]:
        """The limits that there are."""
        return {name: amount for name, amount in asdict(self).items() if amount is not None}


NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class BudgetUsage:
    """One limit, and what is reserved and spent of it. ``limit`` is a column's name; ``taken`` is None per piece."""

    purse: BudgetScope
    subject: int
    limit: str
    amount: Decimal
    taken: Decimal | None

    @property
    def left(self) -> Decimal | None:
        """What is left; less than nothing where the vendor took more than it had quoted."""
        return None if self.taken is None else self.amount - self.taken


def set_limits(
    connection: Connection,
    purse: BudgetScope,
    subject: int,
    limits: Mapping[str, Decimal | None],
    who: str,
    now: datetime,
) -> None:
    """Set some limits of a purse, by their columns' names, and leave the others as they are."""
    values = {**limits, "set_by": who, "set_at": now}
    statement = insert(Budget).values(purse=purse, subject=subject, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[Budget.purse, Budget.subject], set_=values)
    )


def standings(connection: Connection, day: date) -> list[BudgetUsage]:
    """Return every limit there is, as it stands on a day of the installation's zone."""
    rows = connection.execute(select(*Budget.__table__.columns).order_by(Budget.purse, Budget.subject))
    return [standing for row in rows.all() for standing in _standing(connection, row, day)]


def _standing(connection: Connection, budget: Row[tuple[Budget]], day: date) -> Iterator[BudgetUsage]:
    purse, subject = BudgetScope(budget.purse), budget.subject
    for limit in limits_of(budget, day):
        used = committed_amount(connection, purse, subject, limit.since, limit.until)
        yield BudgetUsage(purse, subject, limit.name, limit.amount, used)
    if budget.per_piece is not None:
        yield BudgetUsage(purse, subject, "per_piece", budget.per_piece, None)


def waiting(connection: Connection, purse: BudgetScope, subject: int) -> list[int]:
    """Return the mailings that wait because they did not fit and whose purse this is, oldest first."""
    query = select(Mailing.id).where(Mailing.state == State.APPROVAL, Mailing.reason_code == OVER_BUDGET)
    match purse:
        case BudgetScope.CAMPAIGN:
            query = query.where(Mailing.campaign_id == subject)
        case BudgetScope.TRIGGER:
            query = query.where(Mailing.trigger_id == subject)
        case BudgetScope.TOKEN:
            token = select(Token.name).where(Token.id == subject).scalar_subquery()
            query = query.where(Mailing.submitter_token == token)
    return list(connection.scalars(query.order_by(Mailing.id)))
