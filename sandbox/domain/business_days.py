"""Days on which mail is produced and carried: not weekends, not the eleven postal holidays."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

_SATURDAY = 5
_SUNDAY = 6
_MONDAY = 0
_THURSDAY = 3
_CLOSING_TIME = time(17, tzinfo=UTC)


@lru_cache
def postal_holidays(year: int) -> frozenset[date]:
    """Return the days the US Postal Service observes: a holiday on a Sunday moves to the Monday.

    One on a Saturday stays where it is, as the Postal Service's holiday calendars have it.
    """
    fixed = (date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25))
    moved = {day + timedelta(days=1) if day.weekday() == _SUNDAY else day for day in fixed}
    return frozenset(
        moved
        | {
            _nth(year, 1, _MONDAY, 3),
            _nth(year, 2, _MONDAY, 3),
            _nth(year, 6, _MONDAY, 1) - timedelta(days=7),
            _nth(year, 9, _MONDAY, 1),
            _nth(year, 10, _MONDAY, 2),
            _nth(year, 11, _THURSDAY, 4),
        }
    )


def is_business_day(day: date) -> bool:
    """Return whether mail is produced and carried on this day."""
    return day.weekday() < _SATURDAY and day not in postal_holidays(day.year)


@lru_cache(maxsize=4096)
def business_day_after(day: date, count: int) -> date:
    """Return the `count`-th business day after `day`, which itself never counts."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_business_day(day)
    return day


def close_of(day: date) -> float:
    """Return the Unix timestamp at which work of this day is done."""
    return datetime.combine(day, _CLOSING_TIME).timestamp()


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
