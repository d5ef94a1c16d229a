from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.scheduling.cron import CronError, read_cron
from worker.scheduling.zoned_time import moment, zone_named

ZONES = st.sampled_from(["America/New_York", "America/Phoenix", "UTC", "Australia/Lord_Howe"])
SPRING = datetime(2026, 3, 6, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 30, tzinfo=UTC)
STARTS = st.sampled_from([SPRING, AUTUMN, datetime(2026, 7, 1, tzinfo=UTC)])


def fires(text: str, zone: str, after: datetime, days: int) -> list[datetime]:
    until = after + timedelta(days=days)
    return [at for at in islice(read_cron(text).after(after, zone), 2000) if at <= until]


@given(st.integers(0, 59), ZONES, STARTS)
@settings(max_examples=40, deadline=None)
def test_a_rule_for_every_hour_is_never_silent_for_two(minute: int, zone: str, start: datetime) -> None:
    found = fires(f"{minute} * * * *", zone, start, 5)

    gaps = {later - earlier for earlier, later in pairwise(found)}
    # Lord Howe's clocks move by half an hour, so there the same minute comes again sooner or later.
    allowed = {timedelta(minutes=30), timedelta(minutes=60), timedelta(minutes=90)}
    assert gaps <= (allowed if zone == "Australia/Lord_Howe" else {timedelta(hours=1)})


@given(
    st.sets(st.integers(0, 23), min_size=1, max_size=4),
    st.sets(st.integers(0, 59), min_size=1, max_size=3),
    ZONES,
    STARTS,
)
@settings(max_examples=60, deadline=None)
def test_a_rule_with_named_hours_fires_once_for_each_wall_time_it_names(
    hours: set[int], minutes: set[int], zone: str, start: datetime
) -> None:
    text = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"

    found = fires(text, zone, start, 6)

    first = start.astimezone(zone_named(zone)).date() - timedelta(days=1)
    walls = [
        datetime(*(first + timedelta(days=n)).timetuple()[:3], hour, minute)  # noqa: DTZ001 - wall times
        for n in range(10)
        for hour in hours
        for minute in minutes
    ]
    named = {moment(wall, zone).instant for wall in walls}
    assert found == sorted(at for at in named if start < at <= start + timedelta(days=6))


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("0 9 29 2 *", [date(2028, 2, 29), date(2032, 2, 29)]),
        ("0 9 1 jan,jul *", [date(2027, 1, 1), date(2027, 7, 1)]),
        ("0 9 * * mon", [date(2026, 11, 2), date(2026, 11, 9)]),
        ("0 9 * * 7", [date(2026, 11, 1), date(2026, 11, 8)]),
        ("0 9 13 * fri", [date(2026, 10, 30), date(2026, 11, 6)]),
        ("0 9 */10 * *", [date(2026, 10, 31), date(2026, 11, 1)]),
        ("@monthly", [date(2026, 11, 1), date(2026, 12, 1)]),
    ],
)
def test_cron_text_means_what_it_means_everywhere(text: str, dates: list[date]) -> None:
    found = islice(read_cron(text).after(datetime(2026, 10, 30, tzinfo=UTC), "UTC"), 2)

    assert [at.date() for at in found] == dates


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("every day", "five fields"),
        ("", "five fields"),
        ("60 * * * *", "no minute"),
        ("* 24 * * *", "no hour"),
        ("* * 0 * *", "no day"),
        ("* * * 13 *", "no month"),
        ("* * * * 8", "no weekday"),
        ("5-1 * * * *", "no minute"),
        ("*/0 * * * *", "no minute"),
        ("1,,2 * * * *", "no minute"),
        ("-1 * * * *", "no minute"),
        ("٣ * * * *", "no minute"),
        ("1-2-3 * * * *", "no minute"),
    ],
)
def test_cron_text_without_meaning_or_end_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(CronError, match=why) as refused:
        read_cron(text)

    assert "\n" not in str(refused.value)


@given(st.text(max_size=30))
@settings(max_examples=200)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_cron(text)
    except CronError:
        return
