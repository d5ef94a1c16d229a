"""Tokens: what they are good for, how long, what for an approver and within which budget."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from console.api.tokens import Scope, bearer_of, create_token, list_tokens, token_id
from models import Approval, BudgetScope, Mailing, Token
from tests.acceptance.api.conftest import problem
from worker.billing import budget_limits, budgets
from worker.billing.budgets import OverBudget, SpendRequest

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def make(api: Any, **options: Any) -> tuple[str, str]:
    name = uuid.uuid4().hex
    with api.engine.begin() as connection:
        return name, create_token(connection, name, Scope, owner="ann", **options) or ""


def test_an_expired_token_is_unknown(api: Any) -> None:
    _, token = make(api, expires_at=NOW)

    with api.engine.begin() as connection:
        assert bearer_of(connection, token, NOW - timedelta(seconds=1)) is not None
        assert bearer_of(connection, token, NOW) is None
    old = make(api, expires_at=datetime(2026, 1, 1, tzinfo=UTC))[1]
    problem(api.client.get("/v1/mailings", headers={"authorization": f"Bearer {old}"}), 401)


def test_the_last_use_is_noted_to_the_minute(api: Any) -> None:
    name, token = make(api)

    def last_used() -> datetime | None:
        with api.engine.connect() as connection:
            return next(one.last_used_at for one in list_tokens(connection) if one.name == name)

    def use(at: datetime) -> None:
        with api.engine.begin() as connection:
            bearer_of(connection, token, at)

    assert last_used() is None
    use(NOW)
    use(NOW + timedelta(seconds=59))
    assert last_used() == NOW
    use(NOW + timedelta(seconds=61))
    assert last_used() == NOW + timedelta(seconds=61)


def test_a_token_bound_to_approval_submits_nothing_that_pays_by_itself(api: Any, person: Any) -> None:
    _, token = make(api, approval_required=True)
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "k"}
    body = {"template": 1001, "recipients": [person()], "approval": "auto"}

    number = api.client.post("/v1/mailings", json=body, headers=headers).json()["id"]

    with api.engine.connect() as connection:
        approval = connection.scalar(select(Mailing.approval).where(Mailing.id == number))
    assert approval is Approval.REQUIRED


@pytest.mark.parametrize("limits", [{}, {"total": Decimal(1000)}])
def test_what_a_token_submits_stays_within_the_tokens_budget(api: Any, person: Any, limits: Any) -> None:
    name, token = make(api)
    other = api.mail(person(9)).json()["id"]
    numbers = [
        api.client.post(
            "/v1/mailings",
            json={"template": 1001, "recipients": [person(n)]},
            headers={"authorization": f"Bearer {token}", "idempotency-key": str(n)},
        ).json()["id"]
        for n in range(2)
    ]
    with api.engine.begin() as connection:
        its = token_id(connection, name)
        budget_limits.set_limits(connection, BudgetScope.TOKEN, its, {"per_day": Decimal(5)}, "ann", NOW)
        if limits:
            budget_limits.set_limits(connection, BudgetScope.ACCOUNT, 0, limits, "ann", NOW)

    def reserve(number: int, amount: str) -> None:
        taking = SpendRequest(mailing_id=number, amount=Decimal(amount), pieces=1, day=NOW.date(), at=NOW)
        with api.engine.begin() as connection:
            budgets.reserve(connection, [taking])

    reserve(numbers[0], "3.00")
    reserve(other, "90.00")
    with pytest.raises(OverBudget, match=r"2\.00 of 5\.00 left"):
        reserve(numbers[1], "2.01")
    reserve(numbers[1], "2.00")
    with api.engine.connect() as connection:
        assert budgets.committed_amount(connection, BudgetScope.TOKEN, its, None, None) == Decimal(5)


def test_a_token_that_was_never_budgeted_is_bounded_by_nothing(api: Any, person: Any) -> None:
    number = api.mail(person()).json()["id"]

    with api.engine.begin() as connection:
        taking = SpendRequest(mailing_id=number, amount=Decimal(10**6), pieces=1, day=NOW.date(), at=NOW)
        budgets.reserve(connection, [taking])
        token = connection.scalar(select(Token.id).where(Token.name == "all"))
        assert budgets.committed_amount(connection, BudgetScope.TOKEN, token or 0, None, None) == Decimal(
            10**6
        )
