"""The schedule of a mailing: when it is paid for, by when it must arrive, and what becomes of it if it is late."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from models import HoldMode, IfLate
from worker.scheduling.zoned_time import ZonedTime, start_of_day

ONE_DAY = timedelta(days=1)


class ScheduleProblem(StrEnum):
    """Why a person is asked about a mailing's time: stable codes, which another time answers."""

    MISSED = "missed_window"
    HOLD_TOO_EARLY = "hold_too_early"
    NOT_IN_TIME = "not_in_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a mailing may be paid for. Nothing set means: as soon as it is ready."""

    send: ZonedTime | None = None
    hold_until: date | None = None
    hold_mode: HoldMode | None = None
    deliver_by: date | None = None
    if_late: IfLate = IfLate.ASK
    late_after: timedelta = ONE_DAY

    def columns(self) -> dict[str, Any]:
        """Return the values of a mailing's row that say the same."""
        return {
            "send_at": self.send and self.send.instant,
            "send_wall": self.send and self.send.wall,
            "zone": self.send and self.send.zone,
            "hold_until": self.hold_until,
            "hold_mode": self.hold_mode,
            "deliver_by": self.deliver_by,
            "if_late": self.if_late,
            "late_after": int(self.late_after.total_seconds()),
        }

    def told(self) -> dict[str, Any]:
        """Return what differs from sending at once, as JSON knows it."""
        said = {
            "send": self.send and f"{self.send.wall.isoformat()} {self.send.zone}",
            "hold_until": self.hold_until and self.hold_until.isoformat(),
            "hold_mode": self.hold_mode,
            "deliver_by": self.deliver_by and self.deliver_by.isoformat(),
            "if_late": None if self.if_late is IfLate.ASK else self.if_late.value,
            "late_after": None if self.late_after == ONE_DAY else int(self.late_after.total_seconds()),
        }
        return {name: value for name, value in said.items() if value is not None}


SEND_NOW = Schedule()


def held_here(until: date, zone: str) -> ZonedTime:
    """Return when a mailing that is held here until a day is paid for: as that day begins in its zone.

    The first moment, because LettrLabs counts production from the day of payment: paid at its end, that day is lost.
    """
    return start_of_day(until, zone)
