"""Dates and times as RFC 3339 writes them. Python's own parser also takes week dates and basic formats."""

import re
from datetime import date, datetime, timedelta
from typing import Final

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_LEAP_SECOND: Final = "60"


def instant(value: object) -> datetime | None:
    """Return the instant that a timestamp names, None if it names none. Second 60 is the second after second 59."""
    parts = _TIME.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        return None
    day, minute, second, fraction, zone = parts.groups()
    leaps = second == _LEAP_SECOND
    text = f"{day}T{minute}:{'59' if leaps else second}.{(fraction or '')[:6]:0<6}{zone.upper()}"
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(microsecond=0) + timedelta(seconds=1) if leaps else moment
    except (ValueError, OverflowError):
        return None


def full_date(text: str) -> date:
    """Return the day that a full date such as 2026-11-22 names; raises ValueError for any other text."""
    if not _DATE.fullmatch(text):
        raise ValueError("a date is written such as 2026-11-22")
    return date.fromisoformat(text)
