"""Spans of time and days of rest, as a trigger declares them."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer

from intake.rfc3339 import full_date
from worker.scheduling.zoned_time import UnknownTimeZoneError, ZonedTime, to_instant, zone_named

LONGEST: Final = timedelta(days=366)
_UNITS: Final = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_SPAN: Final = re.compile(r"(\d{1,6}) ?(minute|hour|day|week)s?", re.ASCII)
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _span(given: object) -> timedelta:
    match = _SPAN.fullmatch(given) if isinstance(given, str) else None
    span = timedelta(seconds=int(match[1]) * _UNITS[match[2]]) if match else LONGEST * 2
    if span > LONGEST:
        raise ValueError('is written such as "90 minutes", "12 hours", "3 days" or "2 weeks", a year at most')
    return span


def _span_told(span: timedelta) -> str:
    return f"{int(span.total_seconds()) // 60} minutes"


Span = Annotated[timedelta, BeforeValidator(_span), PlainSerializer(_span_told)]


def _quiet(given: object) -> str:
    if isinstance(given, date) and not isinstance(given, datetime):
        return given.isoformat()
    for day in _WEEKDAYS:
        if isinstance(given, str) and given.casefold() in {day.casefold(), day[:3].casefold()}:
            return day
    try:
        return full_date(str(given)).isoformat()
    except ValueError:
        raise ValueError('is a day of the week, such as "Sunday", or a date, such as 2026-12-25') from None


QuietDay = Annotated[str, BeforeValidator(_quiet)]


def _zone(given: Any) -> str:  # noqa: ANN401 - whatever the file holds
    try:
        return str(zone_named(given))
    except (UnknownTimeZoneError, TypeError) as error:
        raise ValueError(str(error)) from None


Zone = Annotated[str, BeforeValidator(_zone)]


def excludes_every_day(quiet: tuple[str, ...]) -> bool:
    """Return whether every day of the week is one of rest."""
    return set(_WEEKDAYS) <= set(quiet)


def next_mailing_day(instant: datetime, quiet: tuple[str, ...], zone: str) -> ZonedTime:
    """Return the instant itself, or the beginning of the first day after it that is none of rest."""
    place = zone_named(zone)
    wall = instant.astimezone(place).replace(tzinfo=None)
    while _is_quiet(wall.date(), quiet):
        wall = datetime.combine(wall.date() + timedelta(days=1), datetime.min.time())
        instant = to_instant(wall, place)
    return ZonedTime(wall, zone, instant)


def end_of(day: date, zone: str) -> datetime:
    """Return the instant at which a day ends in a zone."""
    return to_instant(datetime.combine(day + timedelta(days=1), datetime.min.time()), ZoneInfo(zone))


def _is_quiet(day: date, quiet: tuple[str, ...]) -> bool:
    return _WEEKDAYS[day.weekday()] in quiet or day.isoformat() in quiet
