"""Budgets: what fits is paid, what does not fit waits, and nothing is held that will not be paid."""

import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from models import BudgetScope, Stage, State
from worker.approvals import ApprovalOutcome
from worker.billing import budget_limits, budgets
from worker.billing.budget_limits import Limits
from worker.billing.budgets import SpendRequest
from worker.transitions import Resolution

ROOT = Path(__file__).parents[3]
PAYERS = 2
EACH = 16
FIT = 10


@pytest.fixture
def ready(hands: Any) -> int:
    """Return a mailing that is about to be checked out."""
    mailing_id: int = hands.to(Stage.CHECKOUT)
    return mailing_id


def price(hands: Any, mailing_id: int) -> Decimal:
    quoted: Decimal = hands.pen.mailing(mailing_id).quoted
    return quoted


def test_what_was_paid_is_spent_from_its_campaign_and_the_account(
    hands: Any, people: Any, new_campaign: Any
) -> None:
    campaign = new_campaign()
    mailing_id = hands.to(Stage.CHECKOUT, campaign_id=campaign, batch=0)
    people.limit(BudgetScope.CAMPAIGN, campaign, total=100)
    people.limit(per_day=100, per_month=100)

    row = hands.to_the_end(mailing_id)

    with people.engine.connect() as connection:
        standings = budget_limits.standings(connection, hands.clock.at.date())
    assert row.state is State.SENT
    assert people.reservations() == {mailing_id: ("spent", row.charged)}
    assert [(one.limit, one.taken) for one in standings] == [
        ("per_day", row.charged),
        ("per_month", row.charged),
        ("total", row.charged),
    ]


@pytest.mark.parametrize("limit", ["total", "per_day", "per_month"])
def test_what_does_not_fit_waits_with_the_reason_and_goes_on_once_the_budget_is_raised(
    hands: Any, people: Any, sandbox: Any, ready: int, limit: str
) -> None:
    cost = price(hands, ready)
    people.limit(**{limit: cost - Decimal("0.01")})

    waits = hands.to_the_end(ready)

    assert (waits.state, waits.reason_code) == (State.APPROVAL, "over_budget")
    assert "the account's budget has" in waits.reason
    assert f"this costs {cost:.2f}" in waits.reason
    assert people.reservations() == {}
    assert sandbox.calls("checkout") == 0
    people.limit(**{limit: cost})
    assert people.wake() == 1
    assert hands.to_the_end(ready).state is State.SENT


def test_a_piece_may_cost_so_much_and_no_more(hands: Any, people: Any, sandbox: Any, ready: int) -> None:
    each = price(hands, ready) / 2
    people.limit(per_piece=each - Decimal("0.01"))

    assert "allows" in hands.to_the_end(ready).reason
    assert sandbox.calls("checkout") == 0
    people.limit(per_piece=each)
    people.wake()
    assert hands.to_the_end(ready).state is State.SENT


def test_an_approval_does_not_lift_a_budget(hands: Any, people: Any, ready: int) -> None:
    people.limit(per_day=0)
    hands.to_the_end(ready)

    assert people.approve(ready) is ApprovalOutcome.APPROVED

    assert hands.to_the_end(ready).reason_code == "over_budget"


def test_a_new_day_has_a_new_budget(hands: Any, people: Any, ready: int) -> None:
    people.limit(per_day=price(hands, ready))
    hands.to_the_end(ready)
    other = hands.to(Stage.CHECKOUT)
    assert hands.to_the_end(other).reason_code == "over_budget"

    hands.forward(86_400)
    people.approve(other)

    assert hands.to_the_end(other).state is State.SENT


@pytest.mark.parametrize(("zone", "state"), [("America/Chicago", State.APPROVAL), ("UTC", State.SENT)])
def test_a_day_ends_when_it_ends_in_the_zone_of_the_installation(
    hands: Any, people: Any, zone: str, state: State
) -> None:
    """Half an hour before and after midnight in UTC are one day in Chicago, and two in UTC."""
    late = hands.clock.at.replace(hour=23, minute=30, second=0, microsecond=0)
    hands.forward((late - hands.clock.at).total_seconds() % 86_400)
    there = hands.with_settings(zone=zone)
    first, second = (hands.to(Stage.CHECKOUT) for _ in range(2))
    people.limit(per_day=price(hands, first))
    assert there.to_the_end(first).state is State.SENT
    hands.forward(3600)

    assert there.to_the_end(second).state is state


def test_a_mailing_that_reserves_again_is_not_over_budget_because_of_itself(
    hands: Any, people: Any, ready: int
) -> None:
    cost = price(hands, ready)
    people.limit(total=cost, per_day=cost, per_month=cost)
    taking = SpendRequest(
        mailing_id=ready, amount=cost, pieces=2, day=hands.clock.at.date(), at=hands.clock.at
    )

    for _ in range(2):
        with people.engine.begin() as connection:
            budgets.reserve(connection, [taking])

    assert people.reservations() == {ready: ("reserved", cost)}


def test_a_release_leaves_what_is_spent(hands: Any, people: Any) -> None:
    spent, reserved = hands.new_mailing(2), hands.new_mailing(2)
    hands.to_the_end(spent)
    hands.on_to(Stage.CHECKOUT, reserved)
    cost = price(hands, reserved)
    taking = SpendRequest(
        mailing_id=reserved, amount=cost, pieces=2, day=hands.clock.at.date(), at=hands.clock.at
    )
    with people.engine.begin() as connection:
        budgets.reserve(connection, [taking])

        budgets.release(connection, [spent, reserved])

    assert people.reservations() == {spent: ("spent", cost)}


def test_money_that_could_not_be_taken_is_given_back(
    hands: Any, people: Any, sandbox: Any, ready: int
) -> None:
    sandbox.fail("checkout", "too_many", count=1, retryAfter=60)
    assert hands.step(ready).state is State.QUEUED
    assert people.reservations() == {}

    sandbox.heal()
    sandbox.fail("checkout", "decline", count=1)
    hands.to_the_end(ready)
    assert hands.pen.mailing(ready).reason_code == "payment_failed"
    assert people.reservations() == {}

    people.resolve(ready, Resolution.PAY_AGAIN)
    assert hands.to_the_end(ready).state is State.SENT
    assert people.reservations() == {ready: ("spent", price(hands, ready))}


def test_an_unsure_checkout_keeps_its_money_until_it_is_found_out(
    hands: Any, people: Any, sandbox: Any, ready: int
) -> None:
    sandbox.fail("checkout", "cut_before")
    hands.step(ready)
    assert people.reservations() == {ready: ("reserved", price(hands, ready))}

    assert hands.to_the_end(ready).reason_code == "checkout_unclear"
    assert people.reservations() == {ready: ("reserved", price(hands, ready))}

    people.resolve(ready, Resolution.FAILED)
    assert people.reservations() == {}


def test_a_worker_that_dies_with_money_reserved_neither_loses_nor_doubles_it(
    hands: Any, people: Any, ready: int
) -> None:
    people.limit(per_day=price(hands, ready))
    hands.abandon(ready)

    assert hands.to_the_end(ready).state is State.SENT
    assert people.reservations() == {ready: ("spent", price(hands, ready))}


def test_a_cancelled_mailing_holds_no_money(hands: Any, people: Any, sandbox: Any, ready: int) -> None:
    sandbox.fail("checkout", "cut_before", count=1)
    hands.step(ready)
    people.cancel(ready)

    assert hands.to_the_end(ready).state is State.CANCELLED
    assert people.reservations() == {}


def test_what_the_vendor_takes_beyond_the_quote_is_spent_all_the_same(
    hands: Any, people: Any, sandbox: Any, ready: int
) -> None:
    people.limit(per_day=price(hands, ready))
    sandbox.fail("checkout", "double_settle", count=1)

    assert hands.to_the_end(ready).reason_code == "charge_differs"
    assert people.reservations() == {ready: ("spent", 2 * price(hands, ready))}


def test_thirty_two_checkouts_at_once_in_two_processes_are_not_a_cent_over(
    hands: Any, people: Any, sandbox: Any, new_campaign: Any
) -> None:
    campaign = new_campaign()
    mailings = [hands.to(Stage.CHECKOUT, 1, campaign_id=campaign, batch=n) for n in range(PAYERS * EACH)]
    each = price(hands, mailings[0])
    people.limit(BudgetScope.CAMPAIGN, campaign, total=each * FIT + each / 2)
    people.limit(per_day=each * FIT, per_month=each * 31)

    check_out_at_once(hands, mailings)

    sandbox.advance(3600)
    rows = [hands.pen.mailing(one) for one in mailings]
    assert Decimal(sandbox.ledger()["totals"]["charged"]) == each * FIT
    assert sum(row.stage is Stage.SETTLE for row in rows) == FIT
    assert sum(row.reason_code == "over_budget" for row in rows) == len(mailings) - FIT
    assert len(people.reservations()) == FIT


def check_out_at_once(hands: Any, mailings: list[int]) -> None:
    settings = hands.context.settings
    env = {
        **os.environ,
        **settings.environment(),
        "PYTHONPATH": str(ROOT),
        "LETTRLABS_RATE": "100000",
    }
    command = [sys.executable, str(Path(__file__).with_name("payers.py"))]
    shares = [mailings[n::PAYERS] for n in range(PAYERS)]
    payers = [
        subprocess.Popen(
            [*command, *map(str, share)],
            env=env,
            cwd=Path(__file__).parent,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for share in shares
    ]
    for payer in payers:
        assert payer.stdout is not None
        assert payer.stdout.readline() == "ready\n"
    for payer in payers:
        payer.communicate("go\n", timeout=60)
        assert payer.returncode == 0


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 2, 1), date(2026, 2, 1), date(2026, 2, 28)),
        (date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        (date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_month_of_a_budget_has_all_of_its_days(day: date, first: date, last: date) -> None:
    limits: Any = SimpleNamespace(per_day=None, per_month=Decimal(5), total=None)

    (found,) = budgets.limits_of(limits, day)

    assert (found.since, found.until) == (first, last)


def test_setting_a_limit_leaves_the_others_as_they_are(hands: Any, people: Any) -> None:
    people.limit(total=5, per_piece=1)

    people.limit(per_day=3, per_piece=None)

    with people.engine.connect() as connection:
        standings = budget_limits.standings(connection, hands.clock.at.date())
    assert {one.limit: (one.amount, one.left) for one in standings} == {"per_day": (3, 3), "total": (5, 5)}


def test_what_is_spent_counts_for_its_own_campaign_and_the_account_only(
    hands: Any, people: Any, new_campaign: Any
) -> None:
    campaign = new_campaign()
    row = hands.to_the_end(hands.to(Stage.CHECKOUT, campaign_id=campaign, batch=0))
    purses_asked = [
        (BudgetScope.ACCOUNT, 0),
        (BudgetScope.CAMPAIGN, campaign),
        (BudgetScope.CAMPAIGN, 0),
        (BudgetScope.TRIGGER, 1),
    ]

    with people.engine.connect() as connection:
        counted = [budgets.committed_amount(connection, *one, None, None) for one in purses_asked]

    assert counted[0] >= row.charged > 0
    assert counted[1:] == [row.charged, 0, 0]


def test_what_waits_for_a_budget_is_found_by_its_own_campaign_or_trigger(
    hands: Any, people: Any, new_campaign: Any
) -> None:
    campaign = new_campaign()
    mailing_id = hands.to(Stage.CHECKOUT, campaign_id=campaign, batch=0)
    people.limit(total=0)
    hands.to_the_end(mailing_id)

    with people.engine.connect() as connection:
        found = {
            (purse, subject): budget_limits.waiting(connection, purse, subject)
            for purse, subject in [
                (BudgetScope.ACCOUNT, 0),
                (BudgetScope.CAMPAIGN, campaign),
                (BudgetScope.CAMPAIGN, campaign + 1),
                (BudgetScope.TRIGGER, 1),
            ]
        }

    assert [mailing_id in one for one in found.values()] == [True, True, False, False]


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "Infinity", "1e10", "0.00001"])
def test_an_amount_that_is_none_is_no_limit_anywhere(amount: str) -> None:
    with pytest.raises(ValueError, match="must be an amount of money"):
        Limits(total=Decimal(amount))


@pytest.mark.parametrize("amount", ["-0.01", "NaN"])
def test_the_database_itself_refuses_a_budget_that_is_no_amount(people: Any, amount: str) -> None:
    with pytest.raises(IntegrityError):
        people.limit(total=amount)
