"""Budgets: a mailing's money is reserved from its purses before checkout, released or spent afterwards.

A reservation is keyed by its mailing, so that a crash, a retry or a second worker can neither double nor lose it.
The purses' rows are locked in one fixed order and everything reserved is added up anew under those locks: there is
no counter that could drift. What a vendor takes beyond the quote is spent all the same, and shows.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from models import Budget, BudgetScope, Mailing, Reservation, ReservationStatus, State, Token
from worker.billing.amounts import exceeds, money

OVER_BUDGET = "over_budget"
_UNPAID = frozenset({State.APPROVAL, State.FAILED, State.CANCELLED})


class OverBudget(Exception):  # noqa: N818 - it is what the money is, not a fault
    """It does not fit; the message says into which budget, what is left of it, and what this costs."""


# A mailing carries the name of the token that submitted it; names are never used twice.
_TOKEN_ID = select(Token.id).where(Token.name == Mailing.submitter_token).scalar_subquery()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRequest:
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
    INSERT INTO reservation (mailing_id, campaign_id, trigger_id, token_id, amount, day, state, reserved_at)
    SELECT m.id, m.campaign_id, m.trigger_id, t.id, taking.amount, taking.day, 'reserved', taking.at
      FROM unnest(CAST(:mailing_id AS bigint[]), CAST(:amount AS numeric[]), CAST(:day AS date[]),
                  CAST(:at AS timestamptz[]))
           AS taking (mailing_id, amount, day, at)
      JOIN mailing AS m ON m.id = taking.mailing_id
      LEFT JOIN token AS t ON t.name = m.submitter_token
     WHERE NOT EXISTS (SELECT
                         FROM budget AS b
                        WHERE (b.purse, b.subject) IN (('account', 0), ('campaign', m.campaign_id),
                                                       ('trigger', m.trigger_id), ('token', t.id)))
    ON CONFLICT (mailing_id)
    DO UPDATE SET amount = excluded.amount, day = excluded.day, state = excluded.state,
                  reserved_at = excluded.reserved_at
    RETURNING mailing_id
""")


def reserve(connection: Connection, takings: Sequence[SpendRequest]) -> None:
    """Reserve the money of checkouts from every purse of their mailings; reserving again replaces what was reserved.

    Raises OverBudget, for the caller to undo the transaction. Until the commit, others who want of the same purses
    wait; whoever holds the mailings' own rows comes first, and nobody takes them the other way round.
    """
    bounds = {name: [getattr(one, name) for one in takings] for name in ("mailing_id", "amount", "day", "at")}
    unbounded = set(connection.scalars(_RESERVE_UNBOUNDED, bounds))
    bounded = [one for one in takings if one.mailing_id not in unbounded]
    if bounded:
        _reserve_from_purses(connection, bounded)


def _reserve_from_purses(connection: Connection, takings: Sequence[SpendRequest]) -> None:
    purses = {
        row.id: {
            BudgetScope.CAMPAIGN: row.campaign_id,
            BudgetScope.TRIGGER: row.trigger_id,
            BudgetScope.TOKEN: row.token_id,
            BudgetScope.ACCOUNT: 0,
        }
        for row in connection.execute(
            select(Mailing.id, Mailing.campaign_id, Mailing.trigger_id, _TOKEN_ID.label("token_id")).where(
                Mailing.id.in_([one.mailing_id for one in takings])
            )
        )
    }
    # Those of all takings at once: one order for everybody only holds if nobody comes back for another.
    budgets = _locked(connection, {of for every in purses.values() for of in every.items()})
    for taking in takings:
        mine = purses[taking.mailing_id]
        for budget in budgets:
            if mine[BudgetScope(budget.purse)] == budget.subject:
                _require_room(connection, budget, taking)
        _reserve_for(connection, taking, mine)


def _reserve_for(
    connection: Connection, taking: SpendRequest, purses: Mapping[BudgetScope, int | None]
) -> None:
    values = {
        "campaign_id": purses[BudgetScope.CAMPAIGN],
        "trigger_id": purses[BudgetScope.TRIGGER],
        "token_id": purses[BudgetScope.TOKEN],
        "amount": taking.amount,
        "day": taking.day,
        "state": ReservationStatus.RESERVED,
        "reserved_at": taking.at,
    }
    statement = insert(Reservation).values(mailing_id=taking.mailing_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["mailing_id"], set_=values))


def release(connection: Connection, mailing_ids: Sequence[int]) -> None:
    """Give back what mailings have reserved; what is spent stays spent."""
    connection.execute(
        delete(Reservation).where(
            Reservation.mailing_id.in_(mailing_ids), Reservation.state == ReservationStatus.RESERVED
        )
    )


def spend(connection: Connection, mailing_ids: Sequence[int], now: datetime) -> None:
    """Count the dearer of what mailings were charged and quoted as spent, whether or not it was reserved.

    Charges that do not show yet are no room in a budget. Without a reservation (an operator paid at LettrLabs by
    hand) it falls on the day on which this was learnt, in UTC.
    """
    # GREATEST passes over what is NULL.
    amount = func.greatest(Mailing.charged, Mailing.quoted, 0)
    day = literal(now.astimezone(UTC).date())
    columns = [
        "mailing_id",
        "campaign_id",
        "trigger_id",
        "token_id",
        "amount",
        "day",
        "state",
        "reserved_at",
        "settled_at",
    ]
    at, spent = literal(now), literal(ReservationStatus.SPENT.value)
    values = select(
        Mailing.id, Mailing.campaign_id, Mailing.trigger_id, _TOKEN_ID, amount, day, spent, at, at
    )
    statement = insert(Reservation).from_select(columns, values.where(Mailing.id.in_(mailing_ids)))
    changes = {name: statement.excluded[name] for name in ("amount", "state", "settled_at")}
    connection.execute(statement.on_conflict_do_update(index_elements=["mailing_id"], set_=changes))


def update_for_states(connection: Connection, states: Mapping[int, State], now: datetime) -> None:
    """Bring mailings' reservations in line with the states that they have just moved to."""
    unpaid = [one for one, state in states.items() if state in _UNPAID]
    sent = [one for one, state in states.items() if state is State.SENT]
    if unpaid:
        release(connection, unpaid)
    if sent:
        spend(connection, sent, now)


def _locked(connection: Connection, purses: Iterable[tuple[BudgetScope, int | None]]) -> list[Row[Any]]:
    named = or_(
        *(
            and_(Budget.purse == purse, Budget.subject == subject)
            for purse, subject in purses
            if subject is not None
        )
    )
    return list(
        connection.execute(
            select(*Budget.__table__.columns)
            .where(named)
            .order_by(Budget.purse, Budget.subject)
            .with_for_update()
        )
    )


def _require_room(connection: Connection, budget: Row[Any], taking: SpendRequest) -> None:
    if budget.per_piece is not None and exceeds(taking.amount, budget.per_piece * taking.pieces):
        ceiling = f"{scope_label(budget.purse, budget.subject)} allows {money(budget.per_piece)} a piece"
        raise OverBudget(f"{ceiling}, and {taking.pieces:,} for {money(taking.amount)} is more")
    for limit in limits_of(budget, taking.day):
        left = limit.amount - committed_amount(
            connection, budget.purse, budget.subject, limit.since, limit.until, besides=taking.mailing_id
        )
        if exceeds(taking.amount, left):
            purse = scope_label(budget.purse, budget.subject)
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


def committed_amount(
    connection: Connection,
    purse: BudgetScope,
    subject: int,
    since: date | None,
    until: date | None,
    *,
    besides: int | None = None,
) -> Decimal:
    """Return what is reserved and spent from a purse between two days, both included."""
    query = select(func.coalesce(func.sum(Reservation.amount), Decimal(0)))
    match purse:
        case BudgetScope.CAMPAIGN:
            query = query.where(Reservation.campaign_id == subject)
        case BudgetScope.TRIGGER:
            query = query.where(Reservation.trigger_id == subject)
        case BudgetScope.TOKEN:
            query = query.where(Reservation.token_id == subject)
    if since is not None:
        query = query.where(Reservation.day >= since)
    if until is not None:
        query = query.where(Reservation.day <= until)
    if besides is not None:
        query = query.where(Reservation.mailing_id != besides)
    return connection.execute(query).scalar_one()


def scope_label(purse: BudgetScope, subject: int) -> str:
    """Return what a person calls a budget."""
    return "the account's budget" if purse is BudgetScope.ACCOUNT else f"the budget of {purse} {subject}"
