"""Times as people give them: wall time and zone, dates, and what is to happen if one is missed."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from intake.errors import ErrorCode, IntakeError
from models import CatchUp, HoldMode, IfLate
from worker.scheduling.cron import CronError, read_cron
from worker.scheduling.recurrence_rules import RecurrenceRule
from worker.scheduling.schedule import SEND_NOW, Schedule, held_here
from worker.scheduling.zoned_time import (
    UnknownTimeZoneError,
    ZonedTime,
    format_day,
    format_instant,
    moment,
    zone_named,
)

Word = TypeVar("Word", bound=StrEnum)

_WALL: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_LATENESS: Final = re.compile(r"([1-9]\d{0,4})([mhd])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
# Further away it is a slip of the finger; zone rules are not known that far ahead either.
_FARTHEST: Final = timedelta(days=3660)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOptions:
    """Times as text, as a command line or a request holds them; None where nothing was said."""

    send_at: str | None = None
    hold_until: str | None = None
    hold_mode: str | None = None
    deliver_by: str | None = None
    if_late: str | None = None
    zone: str | None = None


def schedule_for(
    asked: ScheduleOptions, *, now: datetime, default_zone: str, before: Schedule = SEND_NOW
) -> Schedule:
    """Return the schedule that is asked for; what is not mentioned stays as it was `before`.

    Raises IntakeError for what cannot be read, does not fit together, or has passed.
    """
    usual_zone = before.send.zone if before.send else default_zone
    zone = _zone(usual_zone if asked.zone is None else asked.zone)
    schedule = before if asked.hold_until is None else _held(asked.hold_until, asked.hold_mode, zone, before)
    if asked.hold_mode is not None and asked.hold_until is None:
        raise _bad("--hold-mode says how to keep a mailing until a date: give --hold-until as well.")
    if asked.send_at is not None:
        if schedule.hold_mode is HoldMode.LOCAL and asked.hold_until is not None:
            raise _bad("--send-at and --hold-until name two times to pay: give one, or --hold-mode vendor.")
        send = moment(_wall("--send-at", asked.send_at), zone)
        schedule = replace(_unheld_here(schedule), send=send)
    if asked.deliver_by is not None:
        schedule = replace(schedule, deliver_by=_day("--deliver-by", asked.deliver_by))
    if asked.if_late is not None:
        schedule = _lateness(schedule, asked.if_late)
    require_possible(schedule, zone, now)
    return schedule


def repeats_for(text: str, catch_up: str | None, *, zone: str | None, default_zone: str) -> RecurrenceRule:
    """Return the rule that a cron text in a zone stands for.

    Raises IntakeError for a text without meaning, that never fires, or that fires more often than once an hour.
    """
    named = _zone(default_zone if zone is None else zone)
    policy = _known(CatchUp, "--catch-up", CatchUp.LAST if catch_up is None else catch_up)
    try:
        cron = read_cron(text)
    except CronError as error:
        raise _bad(f"--every {error}.") from None
    if len(cron.minutes) > 1:
        raise _bad(f'--every "{text}" fires more often than once an hour: nobody wants that much mail.')
    return RecurrenceRule(cron, named, policy)


def require_possible(schedule: Schedule, zone: str, now: datetime) -> None:
    """Raise IntakeError for a time that has passed, is absurdly far away, or contradicts another."""
    today = now.astimezone(zone_named(zone)).date()
    if schedule.hold_until is not None and schedule.hold_until <= today:
        raise _bad(f"--hold-until {schedule.hold_until}: must be later than today, {today} in {zone}.")
    if schedule.send is not None:
        _require_ahead(schedule.send, now)
    if schedule.deliver_by is not None:
        _require_time_to_deliver(schedule, today, now)


def _require_ahead(send: ZonedTime, now: datetime) -> None:
    if send.instant <= now:
        raise _bad(f"The time to send lies in the past: {format_instant(send.instant, send.zone, now)}.")
    if send.instant > now + _FARTHEST:
        raise _bad(f"The time to send is more than ten years away: {format_day(send.wall.date(), now)}.")


def _require_time_to_deliver(schedule: Schedule, today: date, now: datetime) -> None:
    starts = max(today, schedule.send.instant.astimezone(UTC).date()) if schedule.send else today
    starts = max(starts, schedule.hold_until or starts)
    by = schedule.deliver_by
    if by is None or by <= starts:
        raise _bad(f"--deliver-by {by}: nothing sent on {starts} arrives by then.")
    if by > today + _FARTHEST:
        raise _bad(f"--deliver-by is more than ten years away: {format_day(by, now)}.")


def _held(day: str, asked_mode: str | None, zone: str, before: Schedule) -> Schedule:
    until = _day("--hold-until", day)
    usual_mode = before.hold_mode or HoldMode.LOCAL
    mode = _known(HoldMode, "--hold-mode", usual_mode if asked_mode is None else asked_mode)
    if mode is HoldMode.VENDOR:
        send = None if before.hold_mode is HoldMode.LOCAL else before.send
        return replace(before, hold_until=until, hold_mode=mode, send=send)
    return replace(before, hold_until=until, hold_mode=mode, send=held_here(until, zone))


def _unheld_here(schedule: Schedule) -> Schedule:
    if schedule.hold_mode is HoldMode.VENDOR:
        return schedule
    return replace(schedule, hold_until=None, hold_mode=None)


def _lateness(schedule: Schedule, text: str) -> Schedule:
    word, colon, length = text.partition(":")
    policy = _known(IfLate, "--if-late", word)
    if not colon:
        return replace(schedule, if_late=policy)
    found = _LATENESS.fullmatch(length)
    if found is None:
        raise _bad(f'--if-late "{text}": a lateness is such as 30m, 2h or 1d, as in skip:2h.')
    return replace(schedule, if_late=policy, late_after=int(found[1]) * _UNITS[found[2]])


def _zone(name: str) -> str:
    try:
        zone_named(name)
    except UnknownTimeZoneError as error:
        raise _bad(f"--zone: {error}.") from None
    return name


def _wall(option: str, text: str) -> datetime:
    if not _WALL.fullmatch(text):
        raise _bad(f'{option} "{text}": must be such as 2026-12-01T09:00, with the zone in --zone.')
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        raise _bad(f'{option} "{text}": there is no such time.') from None
    _require_sane(option, wall.date())
    return wall


def _day(option: str, text: str) -> date:
    if not _DAY.fullmatch(text):
        raise _bad(f'{option} "{text}": must be a date such as 2026-12-01.')
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _bad(f'{option} "{text}": there is no such day.') from None
    _require_sane(option, day)
    return day


def _require_sane(option: str, day: date) -> None:
    # Next to the ends of the calendar no zone can be applied.
    if not date(1970, 1, 1) <= day <= date(9990, 1, 1):
        raise _bad(f"{option} {day}: is no day that mail is sent on.")


def _known(kind: type[Word], option: str, given: str) -> Word:
    for word in kind:
        if word.value == given.strip().casefold():
            return word
    raise _bad(f'{option} "{given}": there are {", ".join(kind)}.')


def _bad(sentence: str) -> IntakeError:
    return IntakeError(ErrorCode.BAD_OPTION, sentence)
