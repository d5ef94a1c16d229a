"""Wall time and zones: what a clock on a wall shows, which instant that is, and how both are said.

A time is given as wall time and IANA zone. At a change of daylight saving it may not exist, or twice. The rule, for
everything Mailrun keeps time for: one that does not exist is the first instant after the gap; one that exists twice
is the earlier of the two.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

_SECOND = timedelta(seconds=1)


class UnknownTimeZoneError(ValueError):
    """A name that no time zone has; the message is one line and names one that is meant, perhaps."""


@dataclass(frozen=True, slots=True)
class ZonedTime:
    """A wall time without offset, its zone, and the instant they name, in UTC."""

    wall: datetime
    zone: str
    instant: datetime


def moment(wall: datetime, zone: str) -> ZonedTime:
    """Return the moment that a wall time names; raises NoSuchZoneError."""
    return ZonedTime(wall, zone, to_instant(wall, zone_named(zone)))


def start_of_day(day: date, zone: str) -> ZonedTime:
    """Return the first moment of a day in a zone; raises NoSuchZoneError."""
    return moment(datetime.combine(day, time()), zone)


def zone_named(name: str) -> ZoneInfo:
    """Return a zone; raises NoSuchZoneError."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        meant = get_close_matches(name, available_timezones(), n=1)
        advice = f"did you mean {meant[0]}?" if meant else "zones are called such as America/New_York"
        raise UnknownTimeZoneError(f'there is no time zone "{name}": {advice}') from None


def to_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, of a wall time: the earlier of two, the first after a gap."""
    earlier, later = _readings(wall, zone)
    return earlier if earlier <= later else _end_of_gap(later, earlier, zone)


def possible_instants(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return every instant, in UTC, at which clocks of the zone show this wall time: none, one or two."""
    earlier, later = _readings(wall, zone)
    if earlier > later:
        return ()
    return (earlier,) if earlier == later else (earlier, later)


def _readings(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    # PEP 495: fold 0 reads with the offset from before the change, fold 1 with the one after it. In a gap the
    # first reading is therefore the later instant.
    local = wall.replace(tzinfo=zone)
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    offset = after.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def format_instant(instant: datetime, zone: str | None, now: datetime) -> str:
    """Return an instant as its zone's clocks show it, in UTC, and how far away it is.

    For example "Tue 1 Dec 09:00 America/Chicago, 15:00 UTC, in 3 days".
    """
    world = instant.astimezone(UTC)
    parts = [f"{_clock(world, now)} UTC"]
    if zone not in {None, "UTC"}:
        local = instant.astimezone(zone_named(zone or "UTC"))
        same_day = local.date() == world.date()
        parts = [f"{_clock(local, now)} {zone}", f"{world:%H:%M} UTC" if same_day else parts[0]]
    return ", ".join([*parts, humanize(instant, now)])


def format_day(day: date, now: datetime) -> str:
    """Return a day such as "Tue 1 Dec", with its year if that is another than now."""
    year = "" if day.year == now.year else f" {day.year}"
    return f"{day:%a} {day.day} {day:%b}{year}"


def humanize(instant: datetime, now: datetime) -> str:
    """Return how far away an instant is, roughly: "in 3 days", "2 hours ago", "now"."""
    seconds = (instant - now).total_seconds()
    for unit, length, least in (("day", 86_400, 36 * 3600), ("hour", 3600, 5400), ("minute", 60, 60)):
        if abs(seconds) >= least:
            number = round(abs(seconds) / length)
            words = f"{number} {unit}{'' if number == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "now"


def _clock(local: datetime, now: datetime) -> str:
    return f"{format_day(local.date(), now)} {local:%H:%M}"
