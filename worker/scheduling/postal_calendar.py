"""Days on which the post delivers and letters are made: no Sundays, no federal holidays, and no work on Saturdays."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_DAY: Final = timedelta(days=1)
# From its first federal observance in 2021; before, 19 June was a day like any other.
_JUNETEENTH_SINCE: Final = 2021


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[date]:
    """Return the days of the eleven federal holidays on which the Postal Service does not deliver.

    The days are set by 5 U.S.C. 6103. One on a Sunday is kept on the Monday; one on a Saturday stays there, and
    carriers work on the Friday, as the Postal Service's own holiday schedules have it.
    """
    fixed = [(1, 1), (7, 4), (11, 11), (12, 25), *([(6, 19)] if year >= _JUNETEENTH_SINCE else [])]
    dated = (date(year, month, day) for month, day in fixed)
    return frozenset(
        {
            *(day + _DAY if day.weekday() == _SUNDAY else day for day in dated),
            _nth(year, 1, _MONDAY, 3),  # Birthday of Martin Luther King, Jr.
            _nth(year, 2, _MONDAY, 3),  # Washington's Birthday
            _nth(year, 6, _MONDAY, 1) - timedelta(days=7),  # Memorial Day, the last Monday of May
            _nth(year, 9, _MONDAY, 1),  # Labor Day
            _nth(year, 10, _MONDAY, 2),  # Columbus Day
            _nth(year, 11, _THURSDAY, 4),  # Thanksgiving Day
        }
    )


def delivers(day: date) -> bool:
    """Return whether the post brings letters on this day: Monday to Saturday, but for holidays."""
    return day.weekday() != _SUNDAY and day not in holidays(day.year)


def is_business_day(day: date) -> bool:
    """Return whether letters are made on this day: Monday to Friday, but for holidays."""
    return day.weekday() < _SATURDAY and day not in holidays(day.year)


def delivery_day(day: date) -> date:
    """Return this day, or the first after it on which the post delivers."""
    return _first(day, _DAY, delivers)


def delivery_day_before(day: date) -> date:
    """Return the last day before this one on which the post delivers."""
    return _first(day - _DAY, -_DAY, delivers)


@lru_cache(maxsize=1024)
def business_days_between(first: date, last: date) -> int:
    """Return how many business days lie after `first`, up to and with `last`."""
    return sum(is_business_day(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))


@lru_cache(maxsize=4096)
def business_day_after(day: date, count: int) -> date:
    """Return the `count`-th business day after a day, which itself never counts."""
    while count > 0:
        day += _DAY
        count -= is_business_day(day)
    return day


def _first(day: date, step: timedelta, fits: Callable[[date], bool]) -> date:
    while not fits(day):
        day += step
    return day


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
