"""What is to happen when: mailings in the sequence of their times, rules, and the grids that were chosen from."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select
from sqlalchemy.orm import aliased

from models import Campaign, DeliveryOptionRow, Mailing, Priority, Recurrence, Stage, State


@dataclass(frozen=True, slots=True)
class Due:
    """Something that will happen, when, where clocks show what, and why then. Money is the vendor's."""

    at: datetime
    zone: str | None
    mailing_id: int | None
    campaign_id: int | None
    name: str | None
    people: int | None
    quoted: Decimal | None
    why: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One choice of a grid. `arrives`: by when the last piece does; `meets`: whether that is in time."""

    postage: str
    speed: str
    hold_until: date | None
    total: Decimal
    arrives: date | None
    meets: bool
    chosen: bool
    taken_at: datetime


_MAILING = select(
    Mailing.id,
    Mailing.campaign_id,
    Campaign.name,
    Mailing.size,
    Mailing.quoted,
    Mailing.stage,
    Mailing.state,
    Mailing.reason,
    Mailing.send_at,
    Mailing.zone,
    Mailing.wake_at,
).join(Campaign, isouter=True)


def upcoming(connection: Connection, now: datetime, limit: int) -> list[Due]:
    """Return what is due next, the next first: the due index read in its own sequence, and who waits for a person."""
    found = [
        _due(row, now)
        for query in (*(_queued(priority, limit) for priority in Priority), _asking(limit))
        for row in connection.execute(query)
    ]
    found += [
        Due(row.wake_at, row.zone, None, row.id, row.name, row.people, None, _RULE.format(row.cron))
        for row in connection.execute(_rules(limit))
    ]
    return sorted(found, key=lambda one: one.at)[:limit]


def grid(connection: Connection, mailing_id: int) -> list[Cell]:
    """Return the grid a mailing's postage and speed were chosen from, cheapest first; empty if there is none."""
    rows = connection.execute(
        select(*(getattr(DeliveryOptionRow, name) for name in Cell.__slots__))
        .where(DeliveryOptionRow.mailing_id == mailing_id)
        .order_by(DeliveryOptionRow.total, DeliveryOptionRow.arrives)
    )
    return [Cell(*row) for row in rows]


def recurrence_of(connection: Connection, campaign_id: int) -> int | None:
    """Return the rule that a campaign is an occurrence of, None if it is of none."""
    return connection.scalars(select(Campaign.recurrence_id).where(Campaign.id == campaign_id)).one_or_none()


_RULE = 'the next occurrence of "{}" is opened'
_WAITS_FOR_PERSON = {State.APPROVAL: "waits for approval", State.ATTENTION: "needs attention"}


def _queued(priority: Priority, limit: int) -> Select[*tuple[Any, ...]]:
    waking = _MAILING.where(Mailing.priority == int(priority), Mailing.wake_at.is_not(None))
    return waking.order_by(Mailing.wake_at).limit(limit)


def _asking(limit: int) -> Select[*tuple[Any, ...]]:
    asking = _MAILING.where(Mailing.state.in_([*_WAITS_FOR_PERSON]), Mailing.send_at.is_not(None))
    return asking.order_by(Mailing.send_at).limit(limit)


def _rules(limit: int) -> Select[*tuple[Any, ...]]:
    ours = aliased(Campaign)
    first = select(func.min(ours.id)).where(ours.recurrence_id == Recurrence.id).scalar_subquery()
    columns = (
        Recurrence.wake_at,
        Recurrence.zone,
        Recurrence.cron,
        Campaign.id,
        Campaign.name,
        Campaign.people,
    )
    rules = select(*columns).join(Campaign, Campaign.id == first).where(Recurrence.wake_at.is_not(None))
    return rules.order_by(Recurrence.wake_at).limit(limit)


def _due(row: Row[Any], now: datetime) -> Due:
    if row.state in _WAITS_FOR_PERSON:
        why = f"{_WAITS_FOR_PERSON[row.state]}: {row.reason or 'its price'}"
        return _entry(row, row.send_at, why)
    if row.send_at is not None and row.send_at > now and row.stage is Stage.CHECKOUT:
        return _entry(row, row.send_at, "is ready, and paid for then")
    if row.send_at is not None and row.send_at > now:
        return _entry(row, row.send_at, f"is paid for then; being prepared, at {row.stage}")
    return _entry(row, row.wake_at, f"at {row.stage}" + (f": {row.reason}" if row.reason else ""))


def _entry(row: Row[Any], at: datetime, why: str) -> Due:
    return Due(at, row.zone, row.id, row.campaign_id, row.name, row.size, row.quoted, why)
