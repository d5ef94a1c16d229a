from datetime import date

import pytest

from sandbox.domain.business_days import business_day_after, is_business_day, postal_holidays


def test_a_year_has_the_eleven_holidays_of_the_postal_service() -> None:
    assert sorted(postal_holidays(2026)) == [
        date(2026, 1, 1),
        date(2026, 1, 19),
        date(2026, 2, 16),
        date(2026, 5, 25),
        date(2026, 6, 19),
        date(2026, 7, 4),
        date(2026, 9, 7),
        date(2026, 10, 12),
        date(2026, 11, 11),
        date(2026, 11, 26),
        date(2026, 12, 25),
    ]


def test_a_holiday_on_a_sunday_is_kept_on_the_monday() -> None:
    assert date(2022, 6, 20) in postal_holidays(2022)
    assert date(2022, 12, 26) in postal_holidays(2022)
    assert not is_business_day(date(2022, 12, 26))


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 3, 2), 1, date(2026, 3, 3)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),
        (date(2026, 11, 25), 1, date(2026, 11, 27)),
        (date(2026, 12, 24), 5, date(2027, 1, 4)),
    ],
)
def test_weekends_and_holidays_are_no_business_days(start: date, count: int, end: date) -> None:
    assert business_day_after(start, count) == end
