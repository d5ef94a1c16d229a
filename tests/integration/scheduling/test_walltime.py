from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.scheduling.zoned_time import (
    UnknownTimeZoneError,
    format_instant,
    humanize,
    moment,
    possible_instants,
    start_of_day,
    zone_named,
)

ZONES = [
    "America/New_York",
    "America/Phoenix",
    "UTC",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
]
NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("wall", "zone", "instant"),
    [
        ("2026-03-08 01:59", NEW_YORK, "2026-03-08 06:59"),
        ("2026-03-08 02:00", NEW_YORK, "2026-03-08 07:00"),
        ("2026-03-08 02:30", NEW_YORK, "2026-03-08 07:00"),
        ("2026-03-08 03:00", NEW_YORK, "2026-03-08 07:00"),
        ("2026-11-01 00:59", NEW_YORK, "2026-11-01 04:59"),
        ("2026-11-01 01:30", NEW_YORK, "2026-11-01 05:30"),
        ("2026-11-01 02:00", NEW_YORK, "2026-11-01 07:00"),
        ("2026-03-08 02:30", "America/Phoenix", "2026-03-08 09:30"),
        ("2026-11-01 01:30", "America/Phoenix", "2026-11-01 08:30"),
        ("2026-03-08 02:30", "UTC", "2026-03-08 02:30"),
        ("2026-11-01 01:30", "UTC", "2026-11-01 01:30"),
        ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30 10:00"),
    ],
)
def test_a_time_in_a_gap_is_the_first_instant_after_it_and_of_two_the_earlier(
    wall: str, zone: str, instant: str
) -> None:
    found = moment(datetime.fromisoformat(wall), zone)

    assert found.instant == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@given(
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2037, 1, 1)),  # noqa: DTZ001 - wall times
    st.sampled_from(ZONES),
)
def test_every_wall_time_is_the_earliest_instant_that_is_not_before_it_on_the_wall(
    wall: datetime, zone: str
) -> None:
    wall = wall.replace(microsecond=0)

    instant = moment(wall, zone).instant

    shown = instant.astimezone(zone_named(zone)).replace(tzinfo=None)
    before = (instant - timedelta(seconds=1)).astimezone(zone_named(zone)).replace(tzinfo=None)
    if possible_instants(wall, zone_named(zone)):
        assert shown == wall
        assert instant == min(possible_instants(wall, zone_named(zone)))
    else:
        assert before < wall < shown


def test_a_day_that_begins_in_a_gap_begins_after_it() -> None:
    # Cairo's clocks go from 00:00 to 01:00 on the last Friday of April.
    assert start_of_day(date(2026, 4, 24), "Africa/Cairo").instant == datetime(2026, 4, 23, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "zone", "words"),
    [
        ("2026-12-01 15:00", "America/Chicago", "Tue 1 Dec 09:00 America/Chicago, 15:00 UTC, in 3 days"),
        (
            "2026-12-02 02:00",
            "America/Chicago",
            "Tue 1 Dec 20:00 America/Chicago, Wed 2 Dec 02:00 UTC, in 3 days",
        ),
        ("2026-12-01 15:00", "UTC", "Tue 1 Dec 15:00 UTC, in 3 days"),
        ("2027-01-04 09:00", None, "Mon 4 Jan 2027 09:00 UTC, in 37 days"),
        ("2026-11-28 13:30", "UTC", "Sat 28 Nov 13:30 UTC, 2 hours ago"),
        ("2026-11-28 15:00", "UTC", "Sat 28 Nov 15:00 UTC, now"),
    ],
)
def test_an_instant_is_shown_on_the_wall_in_utc_and_by_its_distance(
    instant: str, zone: str | None, words: str
) -> None:
    now = datetime(2026, 11, 28, 15, tzinfo=UTC)
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)

    assert format_instant(at, zone, now) == words


def test_a_distance_is_said_in_the_unit_that_fits() -> None:
    now = datetime(2026, 11, 28, 15, tzinfo=UTC)
    far = [timedelta(minutes=1), timedelta(minutes=-80), timedelta(hours=30), timedelta(days=2)]

    assert [humanize(now + one, now) for one in far] == [
        "in 1 minute",
        "80 minutes ago",
        "in 30 hours",
        "in 2 days",
    ]


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "America", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_a_zone_that_does_not_exist_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(UnknownTimeZoneError) as refused:
        zone_named(name)

    assert "\n" not in str(refused.value)


def test_a_misspelt_zone_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownTimeZoneError, match="did you mean America/Chicago"):
        zone_named("America/Chigaco")
