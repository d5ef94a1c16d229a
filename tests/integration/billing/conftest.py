"""The money's tests stand on what the stages' tests stand on, and on people who approve and set budgets."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select

from models import ApprovalDecision, Budget, BudgetScope, Campaign, Reservation
from tests.integration.worker.conftest import clock, new_mailing, pen, shared_engine
from tests.integration.worker.stages.conftest import context, engine, hands, sandbox, settings
from worker import approvals, transitions
from worker.billing import budget_limits
from worker.billing.approval_terms import current_terms

__all__ = [
    "clock",
    "context",
    "engine",
    "hands",
    "new_mailing",
    "pen",
    "sandbox",
    "settings",
    "shared_engine",
]


class People:
    """People who decide about money, in the database of one test."""

    def __init__(self, hands: Any) -> None:
        self.hands = hands
        self.engine = hands.context.engine

    @property
    def now(self) -> Any:
        return self.hands.clock.at

    def offer(self, mailing_id: int) -> Any:
        with self.engine.connect() as connection:
            return current_terms(connection, mailing_id)

    def approve(self, mailing_id: int, who: str = "Ada", seen: Any = None, *, four_eyes: bool = False) -> Any:
        shown = seen or self.offer(mailing_id)
        with self.engine.begin() as connection:
            return approvals.approve(connection, mailing_id, who, self.now, seen=shown, four_eyes=four_eyes)

    def reject(self, mailing_id: int, why: str, who: str = "Ada") -> bool:
        with self.engine.begin() as connection:
            return transitions.reject(connection, mailing_id, who, why, self.now)

    def cancel(self, mailing_id: int) -> Any:
        with self.engine.begin() as connection:
            return transitions.cancel(connection, mailing_id, "Ada", self.now)

    def resolve(self, mailing_id: int, resolution: Any) -> bool:
        with self.engine.begin() as connection:
            return transitions.resolve(connection, mailing_id, resolution, "Ada", "seen to", self.now)

    def limit(self, purse: BudgetScope = BudgetScope.ACCOUNT, subject: int = 0, **limits: Any) -> None:
        amounts = {name: None if value is None else Decimal(value) for name, value in limits.items()}
        with self.engine.begin() as connection:
            budget_limits.set_limits(connection, purse, subject, amounts, "Ada", self.now)

    def wake(self, purse: BudgetScope = BudgetScope.ACCOUNT, subject: int = 0) -> int:
        with self.engine.connect() as connection:
            waiting = budget_limits.waiting(connection, purse, subject)
        with self.engine.begin() as connection:
            return sum(transitions.retry_budget(connection, one, "Ada", self.now) for one in waiting)

    def decisions(self, mailing_id: int) -> list[Any]:
        columns = ApprovalDecision.__table__.columns
        with self.engine.connect() as connection:
            return list(
                connection.execute(
                    select(*columns).where(columns.mailing_id == mailing_id).order_by(columns.id)
                )
            )

    def reservations(self) -> dict[int, tuple[str, Decimal]]:
        """Return what is reserved and spent, by mailing."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(Reservation.mailing_id, Reservation.state, Reservation.amount))
            return {row.mailing_id: (row.state, row.amount) for row in rows}


@pytest.fixture
def people(hands: Any) -> People:
    with hands.context.engine.begin() as connection:
        connection.execute(Budget.__table__.delete())
    return People(hands)


@pytest.fixture
def new_campaign(engine: Any) -> Callable[[], int]:
    """Return a function that opens an empty campaign and returns its number."""

    def open_one() -> int:
        with engine.begin() as connection:
            values = {"key": f"campaign-{id(open_one)}", "request_digest": b"digest", "name": "Campaign"}
            counts = {"rows": 1, "people": 1, "rejected": 0, "mailings": 1}
            number: int = connection.scalars(
                insert(Campaign).values(**values, **counts).returning(Campaign.id)
            ).one()
        return number

    return open_one
