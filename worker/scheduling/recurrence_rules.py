"""Recurring campaigns: a rule opens one campaign for each of its occurrences, a copy of the first.

An occurrence is opened a day ahead, so that its price is visible and can be approved before its time; one at a time.
Its row is UNIQUE by rule and instant, so that two beats, or one that died in the middle, open it once.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, update

from models import CatchUp, Recurrence
from worker.scheduling.cron import Cron
from worker.scheduling.schedule import ONE_DAY, Schedule
from worker.scheduling.zoned_time import ZonedTime

log = logging.getLogger(__name__)

LEAD: Final = ONE_DAY


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """When a campaign is sent again, what is made up for, and what holds if one is late."""

    cron: Cron
    zone: str
    catch_up: CatchUp

    def first(self, now: datetime) -> ZonedTime:
        """Return the first occurrence after now."""
        return occurrence_time(next(self.cron.after(now, self.zone)), self.zone)

    def told(self) -> dict[str, str]:
        """Return the rule as JSON knows it."""
        return {"cron": self.cron.text, "zone": self.zone, "catch_up": self.catch_up.value}


def begin(connection: Connection, repeats: RecurrenceRule, schedule: Schedule, first: datetime) -> int:
    """Store a rule whose first occurrence is being opened by the caller, and return its id."""
    following = next(repeats.cron.after(first, repeats.zone), None)
    return connection.execute(
        insert(Recurrence)
        .values(
            **repeats.told(),
            if_late=schedule.if_late,
            late_after=int(schedule.late_after.total_seconds()),
            last_at=first,
            wake_at=following and opens_at(following, first),
        )
        .returning(Recurrence.id)
    ).scalar_one()


def end(connection: Connection, recurrence_id: int, now: datetime) -> bool:
    """Open no further occurrence; False if none was to come anyway."""
    over = update(Recurrence).where(Recurrence.id == recurrence_id, Recurrence.wake_at.is_not(None))
    return connection.execute(over.values(wake_at=None, ended_at=now)).rowcount == 1


def opens_at(at: datetime, before: datetime) -> datetime:
    """Return when an occurrence is opened: LEAD ahead, but not before the one before it."""
    return max(at - LEAD, before)


def occurrence_time(at: datetime, zone: str) -> ZonedTime:
    """Return an instant as the time in a rule's zone."""
    return ZonedTime(at.astimezone(ZoneInfo(zone)).replace(tzinfo=None), zone, at.astimezone(UTC))
