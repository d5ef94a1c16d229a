from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.scheduling import postal_calendar

DAYS = st.dates(date(2021, 1, 1), date(2060, 1, 1))
_SUNDAY = 6


@pytest.mark.parametrize("year", range(2019, 2071))
def test_the_holidays_are_those_that_the_holidays_package_knows(year: int) -> None:
    federal = holidays.country_holidays("US", years=year, observed=False)

    kept = {day + timedelta(days=1) if day.weekday() == _SUNDAY else day for day in federal}
    assert postal_calendar.holidays(year) == kept


def test_there_are_eleven() -> None:
    assert len(postal_calendar.holidays(2027)) == 11


@given(DAYS)
def test_the_next_delivery_day_is_the_first_that_is_one(day: date) -> None:
    found = postal_calendar.delivery_day(day)

    assert postal_calendar.delivers(found)
    assert not any(postal_calendar.delivers(day + timedelta(days=n)) for n in range((found - day).days))
    assert postal_calendar.delivery_day_before(found + timedelta(days=1)) == found


@given(DAYS, st.integers(0, 30))
def test_business_days_are_counted_as_they_are_added(day: date, count: int) -> None:
    later = postal_calendar.business_day_after(day, count)

    assert postal_calendar.business_days_between(day, later) == count
    assert count == 0 or postal_calendar.is_business_day(later)


@pytest.mark.parametrize(
    ("day", "next_delivery"),
    [
        (date(2026, 12, 25), date(2026, 12, 26)),
        (date(2027, 7, 4), date(2027, 7, 6)),
        (date(2026, 11, 26), date(2026, 11, 27)),
        (date(2026, 11, 28), date(2026, 11, 28)),
        (date(2026, 11, 29), date(2026, 11, 30)),
    ],
)
def test_holidays_and_sundays_bring_no_mail_and_saturdays_do(day: date, next_delivery: date) -> None:
    assert postal_calendar.delivery_day(day) == next_delivery
