"""Recurring campaigns: the beat opens the occurrences that are due.

An occurrence is opened once: its row is unique by rule and instant, and each rule is locked while it is examined.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, select, update

from models import CatchUp, IfLate, Recurrence
from worker import transitions
from worker.scheduling.cron import Cron, CronError, read_cron
from worker.scheduling.recurrence_rules import occurrence_time, opens_at
from worker.scheduling.schedule import Schedule
from worker.scheduling.zoned_time import UnknownTimeZoneError

log = logging.getLogger(__name__)

# A beat that is restarted misses a few ticks; an occurrence that is opened this late was not missed.
MISSED_TOLERANCE: Final = timedelta(minutes=5)
RECURRENCE_BATCH_SIZE: Final = 20
_TRY_AGAIN: Final = timedelta(hours=1)


def open_due(engine: Engine, now: datetime) -> int:
    """Open what is due of every rule, each in a transaction of its own; returns how many campaigns were opened."""
    with engine.connect() as connection:
        due = connection.scalars(
            select(Recurrence.id)
            .where(Recurrence.wake_at <= now)
            .order_by(Recurrence.wake_at)
            .limit(RECURRENCE_BATCH_SIZE)
        ).all()
    opened = 0
    for one in due:
        with engine.begin() as connection:
            opened += _open_due_of(connection, one, now)
    return opened


def _open_due_of(connection: Connection, recurrence_id: int, now: datetime) -> int:
    rule = connection.execute(
        select(*Recurrence.__table__.columns)
        .where(Recurrence.id == recurrence_id, Recurrence.wake_at <= now)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if rule is None:
        return 0
    try:
        cron = read_cron(rule.cron)
        missed, ahead, wake_at = _occurrences(cron, rule, now)
    except (CronError, UnknownTimeZoneError) as error:
        log.error("recurrence_unreadable: %s: %s", recurrence_id, error)  # noqa: TRY400 - it says it all
        _account(connection, recurrence_id, rule.last_at, now + _TRY_AGAIN)
        return 0
    made_up = _made_up(rule.catch_up, missed, now)
    opened = [_open(connection, rule, at, now, is_late=True) for at in made_up]
    opened += [_open(connection, rule, at, now, is_late=False) for at in ahead]
    _account(connection, recurrence_id, max([rule.last_at, *missed, *ahead]), wake_at)
    return sum(opened)


def _occurrences(
    cron: Cron, rule: Row[Any], now: datetime
) -> tuple[list[datetime], list[datetime], datetime | None]:
    """Return the occurrences that have passed, the next if it may be opened, and when to look again."""
    missed: list[datetime] = []
    last: datetime = rule.last_at
    for at in cron.after(rule.last_at, rule.zone):
        if at > now:
            opens = opens_at(at, last)
            if opens > now:
                return missed, [], opens
            following = next(cron.after(at, rule.zone), None)
            return missed, [at], following and opens_at(following, at)
        missed.append(at)
        last = at
    return missed, [], None


def _made_up(policy: CatchUp, missed: list[datetime], now: datetime) -> list[datetime]:
    match policy:
        case CatchUp.ALL:
            return missed
        case CatchUp.LAST:
            return missed[-1:]
        case CatchUp.NONE:
            return [at for at in missed[-1:] if now - at <= MISSED_TOLERANCE]


def _open(connection: Connection, rule: Row[Any], at: datetime, now: datetime, *, is_late: bool) -> bool:
    # The catch-up policy has already decided that a missed one is sent: its lateness is not asked about again.
    schedule = Schedule(
        send=occurrence_time(at, rule.zone),
        if_late=IfLate.SEND if is_late else IfLate(rule.if_late),
        late_after=timedelta(seconds=rule.late_after),
    )
    opened = transitions.copy_campaign(connection, rule.id, at, schedule, now)
    if opened is not None:
        log.info("occurrence_opened: recurrence %s, %s, campaign %s", rule.id, at.isoformat(), opened)
    return opened is not None


def _account(connection: Connection, recurrence_id: int, last_at: datetime, wake_at: datetime | None) -> None:
    connection.execute(
        update(Recurrence).where(Recurrence.id == recurrence_id).values(last_at=last_at, wake_at=wake_at)
    )
