"""Cron text, and when it fires in a zone: computed over local wall time, because cron means what the wall shows.

Five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday); each `*`, a number or name, a range,
a list, and a step as in `*/15`. If both days are restricted, either is enough, as in every cron (POSIX crontab).

At a change of daylight saving a rule with named hours fires once for each wall time it names: the first instant
after a gap, the earlier of two. A rule for every hour goes by elapsed time instead: it fires at both of two hours
that look alike and has nothing to fire for in a gap, so it is never silent for two hours, and never early.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from worker.scheduling.zoned_time import possible_instants, to_instant, zone_named

_DAY: Final = timedelta(days=1)
# Leap days may be eight years apart (2096 to 2104): what does not fire within nine never does.
_HORIZON: Final = timedelta(days=9 * 366)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM: Final = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d{1,2}))?")
_SUNDAY_TOO: Final = 7
_HOURS_OF_A_DAY: Final = 24
_NICKNAMES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}


class CronError(ValueError):
    """Cron text that cannot be read, or never fires; the message is one line."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A rule as read from its text. `cron.text` reads as it was written."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def is_on(self, day: date) -> bool:
        """Return whether it fires on a day at all."""
        if day.month not in self.months:
            return False
        on_day, on_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return on_day and on_weekday
        return on_day or on_weekday

    def after(self, instant: datetime, zone: str) -> Iterator[datetime]:
        """Return the instants, in UTC, after this one at which it fires in a zone; ends if none comes in 9 years."""
        where, last = zone_named(zone), instant
        # From the day before: a gap can move what a day names into the next one.
        day = instant.astimezone(where).date() - _DAY
        limit = day + _HORIZON
        while day < limit:
            for one in sorted(set(self._on(day, zone))):
                if one > last:
                    last = one
                    yield one
                    limit = day + _HORIZON
            day += _DAY

    def _on(self, day: date, zone: str) -> Iterator[datetime]:
        if not self.is_on(day):
            return
        where = zone_named(zone)
        for hour in self.hours:
            for minute in self.minutes:
                wall = datetime.combine(day, time(hour, minute))
                if len(self.hours) == _HOURS_OF_A_DAY:
                    yield from possible_instants(wall, where)
                else:
                    yield to_instant(wall, where)


def read_cron(text: str) -> Cron:
    """Return the rule that a cron text stands for; raises CronError if it has no meaning or never fires."""
    fields = _NICKNAMES.get(text.strip().casefold(), text).split()
    if len(fields) != len(_FIELDS):
        raise CronError(
            f'"{text}" is no cron text: it has five fields, minute hour day month weekday, as in "0 9 * * mon"'
        )
    sets = [_values(field, *rule) for field, rule in zip(fields, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = sets
    if _SUNDAY_TOO in weekdays:
        weekdays = weekdays - {_SUNDAY_TOO} | {0}
    cron = Cron(
        text, minutes, hours, days, months, weekdays, fields[2].startswith("*"), fields[4].startswith("*")
    )
    if not any(cron.is_on(date(2096, 1, 1) + n * _DAY) for n in range(_HORIZON.days)):
        raise CronError(f'"{text}" never fires: there is no such day')
    return cron


def _numbered(names: tuple[str, ...], first: int) -> dict[str, int]:
    return {name: number for number, name in enumerate(names, first)}


_FIELDS: Final[tuple[tuple[str, int, int, Mapping[str, int]], ...]] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, _numbered(_MONTHS, 1)),
    ("weekday", 0, _SUNDAY_TOO, _numbered(_WEEKDAYS, 0)),
)


def _values(text: str, name: str, least: int, most: int, names: Mapping[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        parts = _ITEM.fullmatch(item)
        if parts is None:
            raise CronError(f'"{item}" is no {name} of a cron text')
        step = int(parts[4] or 1)
        if parts[1] == "*":
            first, last = least, most
        else:
            first = _number(parts[2], name, least, most, names)
            last = _number(parts[3], name, least, most, names) if parts[3] else (most if parts[4] else first)
        if step < 1 or last < first:
            raise CronError(f'"{item}" is no {name} of a cron text: from low to high, in steps of 1 or more')
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, name: str, least: int, most: int, names: Mapping[str, int]) -> int:
    number = names.get(text.casefold())
    if number is None:
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len("59") else -1
    if not least <= number <= most:
        raise CronError(f'"{text}" is no {name} of a cron text: they go from {least} to {most}')
    return number
