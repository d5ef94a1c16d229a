"""Budgets: a mailing's money is reserved from its purses before checkout, released or spent afterwards.

A reservation is keyed by its mailing, so that a crash, a retry or a second worker can neither double nor lose it.
The purses' rows are locked in one fixed order and everything reserved is added up anew under those locks: there is
no counter that could drift. What a vendor takes beyond the quote is spent all the same, and shows.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from models import Budget, Mailing, Purse, Reservation, Spending, State
from worker.amounts import money

OVER_BUDGET = "over_budget"
_UNPAID = frozenset({State.APPROVAL, State.FAILED, State.CANCELLED})


class OverBudget(Exception):  # noqa: N818 - it is what the money is, not a fault
    """It does not fit; the message says into which budget, what is left of it, and what this costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What a checkout is about to take, and from whom. ``day`` is its day in the installation's zone."""

    mailing_id: int
    amount: Decimal
    pieces: int
    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of one purse, and the days it counts over, both included; None is unbounded."""

    name: str
    words: str
    amount: Decimal
    since: date | None
    until: date | None


# What is bounded by no budget is only counted. Should one be set in the same instant, it is set after this.
_RESERVE_UNBOUNDED = text("""
    INSERT INTO reservation (mailing_id, campaign_id, trigger_id, amount, day, state, reserved_at)
    SELECT m.id, m.campaign_id, m.trigger_id, :amount, :day, 'reserved', :now
      FROM mailing AS m
     WHERE m.id = :mailing_id
       AND NOT EXISTS (SELECT
                         FROM budget AS b
                        WHERE (b.purse, b.subject) IN (('account', 0), ('campaign', m.campaign_id),
                                                       ('trigger', m.trigger_id)))
    ON CONFLICT (mailing_id)
    DO UPDATE SET amount = excluded.amount, day = excluded.day, state = excluded.state,
                  reserved_at = excluded.reserved_at
""")


def reserve(connection: Connection, taking: Taking) -> None:
    """Reserve a checkout's money from every purse of its mailing; reserving again replaces what was reserved.

    Raises OverBudget, for the caller to undo the transaction. Until the commit, others who want of the same purses
    wait; whoever holds the mailing's own row comes first, and nobody takes them the other way round.
    """
    bounds = {
        "mailing_id": taking.mailing_id,
        "amount": taking.amount,
        "day": taking.day,
        "now": taking.at,
    }
    if connection.execute(_RESERVE_UNBOUNDED, bounds).rowcount != 1:
        _reserve_from_purses(connection, taking)


def _reserve_from_purses(connection: Connection, taking: Taking) -> None:
    campaign_id, trigger_id = connection.execute(
        select(Mailing.campaign_id, Mailing.trigger_id).where(Mailing.id == taking.mailing_id)
    ).one()
    purses = {Purse.CAMPAIGN: campaign_id, Purse.TRIGGER: trigger_id, Purse.ACCOUNT: 0}
    for budget in _locked(
        connection, {purse: subject for purse, subject in purses.items() if subject is not None}
    ):
        _require_room(connection, budget, taking)
    values = {
        "campaign_id": campaign_id,
        "trigger_id": trigger_id,
        "amount": taking.amount,
        "day": taking.day,
        "state": Spending.RESERVED,
        "reserved_at": taking.at,
    }
    statement = insert(Reservation).values(mailing_id=taking.mailing_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["mailing_id"], set_=values))


def release(connection: Connection, mailing_id: int) -> None:
    """Give back what a mailing has reserved; what is spent stays spent."""
    connection.execute(
        delete(Reservation).where(
            Reservation.mailing_id == mailing_id, Reservation.state == Spending.RESERVED
        )
    )


def spend(connection: Connection, mailing_id: int, now: datetime) -> None:
    """Count what a mailing was charged, or else its quote, as spent, whether or not it was reserved.

    Without a reservation (somebody paid at LettrLabs by hand) it falls on the day this was learnt, in UTC.
    """
    amount = func.coalesce(Mailing.charged, Mailing.quoted, 0)
    day = literal(now.astimezone(UTC).date())
    columns = [
        "mailing_id",
        "campaign_id",
        "trigger_id",
        "amount",
        "day",
        "state",
        "reserved_at",
        "settled_at",
    ]
    at, spent = literal(now), literal(Spending.SPENT.value)
    values = select(Mailing.id, Mailing.campaign_id, Mailing.trigger_id, amount, day, spent, at, at)
    statement = insert(Reservation).from_select(columns, values.where(Mailing.id == mailing_id))
    changes = {name: statement.excluded[name] for name in ("amount", "state", "settled_at")}
    connection.execute(statement.on_conflict_do_update(index_elements=["mailing_id"], set_=changes))


def follow(connection: Connection, mailing_id: int, state: State, now: datetime) -> None:
    """Bring a mailing's reservation in line with the state it has just moved to."""
    if state in _UNPAID:
        release(connection, mailing_id)
    elif state is State.SENT:
        spend(connection, mailing_id, now)


def _locked(connection: Connection, purses: dict[Purse, int]) -> list[Row[Any]]:
    named = or_(
        *(and_(Budget.purse == purse, Budget.subject == subject) for purse, subject in purses.items())
    )
    return list(
        connection.execute(
            select(*Budget.__table__.columns)
            .where(named)
            .order_by(Budget.purse, Budget.subject)
            .with_for_update()
        )
    )


def _require_room(connection: Connection, budget: Row[Any], taking: Taking) -> None:
    if budget.per_piece is not None and taking.amount > budget.per_piece * taking.pieces:
        ceiling = f"{purse_words(budget.purse, budget.subject)} allows {money(budget.per_piece)} a piece"
        raise OverBudget(f"{ceiling}, and {taking.pieces:,} for {money(taking.amount)} is more")
    for limit in limits_of(budget, taking.day):
        left = limit.amount - taken(
            connection, budget.purse, budget.subject, limit.since, limit.until, besides=taking.mailing_id
        )
        if taking.amount > left:
            purse = purse_words(budget.purse, budget.subject)
            room = f"{money(max(left, Decimal(0)))} of {money(limit.amount)} left{limit.words}"
            raise OverBudget(f"{purse} has {room}, and this costs {money(taking.amount)}")


def limits_of(budget: Row[Any], day: date) -> Iterator[Limit]:
    """Yield what a purse may spend over the days that one day belongs to."""
    if budget.per_day is not None:
        yield Limit("per_day", f" for {day}", budget.per_day, day, day)
    if budget.per_month is not None:
        first = day.replace(day=1)
        last = day.replace(day=monthrange(day.year, day.month)[1])
        yield Limit("per_month", f" for {day:%Y-%m}", budget.per_month, first, last)
    if budget.total is not None:
        yield Limit("total", "", budget.total, None, None)


def taken(
    connection: Connection,
    purse: Purse,
    subject: int,
    since: date | None,
    until: date | None,
    *,
    besides: int | None = None,
) -> Decimal:
    """Return what is reserved and spent from a purse between two days, both included."""
    query = select(func.coalesce(func.sum(Reservation.amount), Decimal(0)))
    match purse:
        case Purse.CAMPAIGN:
            query = query.where(Reservation.campaign_id == subject)
        case Purse.TRIGGER:
            query = query.where(Reservation.trigger_id == subject)
    if since is not None:
        query = query.where(Reservation.day >= since)
    if until is not None:
        query = query.where(Reservation.day <= until)
    if besides is not None:
        query = query.where(Reservation.mailing_id != besides)
    return connection.execute(query).scalar_one()


def purse_words(purse: Purse, subject: int) -> str:
    """Return what a person calls a budget."""
    return "the account's budget" if purse is Purse.ACCOUNT else f"the budget of {purse} {subject}"
