"""What people may ask of time, and what is refused: in one line, with nothing stored."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from console import main
from intake.errors import IntakeError
from intake.schedule_options import ScheduleOptions, repeats_for, schedule_for
from models import Campaign, HoldMode, IfLate, Mailing, Recurrence

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PEOPLE = "First Name,Last Name,Address,City,State,ZIP\nAda,Byron,100 Main Street,Springfield,IL,62701\n"


def asked(**times: str) -> Any:
    return schedule_for(ScheduleOptions(**times), now=NOW, default_zone="America/New_York")


def test_a_time_without_a_zone_is_of_the_installation() -> None:
    send = asked(send_at="2026-12-01T09:00").send

    assert (send.zone, send.instant) == ("America/New_York", datetime(2026, 12, 1, 14, tzinfo=UTC))


def test_a_date_to_hold_until_is_the_start_of_that_day_in_its_zone() -> None:
    schedule = asked(hold_until="2026-12-01", zone="America/Phoenix")

    assert schedule.hold_mode is HoldMode.LOCAL
    assert schedule.send.instant == datetime(2026, 12, 1, 7, tzinfo=UTC)


def test_a_hold_at_the_vendor_has_no_time_of_its_own() -> None:
    schedule = asked(hold_until="2026-12-01", hold_mode="vendor")

    assert (schedule.hold_mode, schedule.send) == (HoldMode.VENDOR, None)


def test_how_late_it_may_be_is_said_beside_what_then() -> None:
    schedule = asked(send_at="2026-12-01T09:00", if_late="skip:2h")

    assert (schedule.if_late, schedule.late_after) == (IfLate.SKIP, timedelta(hours=2))


BAD = {
    "a past time": {"send_at": "2026-11-22T06:59"},
    "no time": {"send_at": "2026-12-01"},
    "an offset": {"send_at": "2026-12-01T09:00Z"},
    "no such time": {"send_at": "2026-12-01T25:00"},
    "no such day": {"hold_until": "2026-02-30"},
    "today": {"hold_until": "2026-11-22"},
    "yesterday at the vendor": {"hold_until": "2026-11-21", "hold_mode": "vendor"},
    "a zone that does not exist": {"send_at": "2026-12-01T09:00", "zone": "Mars/Olympus"},
    "a zone that is a folder": {"send_at": "2026-12-01T09:00", "zone": "America"},
    "a mode without a date": {"hold_mode": "vendor"},
    "an unknown mode": {"hold_until": "2026-12-01", "hold_mode": "elsewhere"},
    "two times": {"send_at": "2026-12-01T09:00", "hold_until": "2026-12-02"},
    "no mail is that fast": {"deliver_by": "2026-11-22"},
    "delivered before it is sent": {"send_at": "2026-12-01T09:00", "deliver_by": "2026-12-01"},
    "delivered before it is let go": {
        "hold_until": "2026-12-09",
        "hold_mode": "vendor",
        "deliver_by": "2026-12-05",
    },
    "the end of the calendar": {"send_at": "9999-12-31T23:59"},
    "too far away": {"hold_until": "2099-01-01"},
    "an unknown policy": {"send_at": "2026-12-01T09:00", "if_late": "shrug"},
    "an unknown lateness": {"send_at": "2026-12-01T09:00", "if_late": "ask:soon"},
    # What a shell makes of a variable that is not set must never mean "at once".
    "an empty time": {"send_at": ""},
    "an empty date": {"hold_until": ""},
    "an empty mode": {"hold_until": "2026-12-01", "hold_mode": ""},
    "an empty date to arrive by": {"deliver_by": ""},
    "an empty zone": {"send_at": "2026-12-01T09:00", "zone": ""},
    "an empty policy": {"send_at": "2026-12-01T09:00", "if_late": ""},
}


@pytest.mark.parametrize("times", BAD.values(), ids=BAD.keys())
def test_times_that_cannot_be_kept_are_refused_in_one_line(times: dict[str, str]) -> None:
    with pytest.raises(IntakeError) as refused:
        asked(**times)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("0 0 30 2 *", "never fires"),
        ("soon", "five fields"),
        ("*/5 * * * *", "more often than once an hour"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(cron: str, why: str) -> None:
    with pytest.raises(IntakeError, match=why):
        repeats_for(cron, None, zone=None, default_zone="UTC")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--send-at", "2020-01-01T09:00"], 2),
        (["--send-at", "2999-01-01T09:00", "--zone", "Mars/Olympus"], 2),
        (["--hold-until", "2020-01-01", "--hold-mode", "vendor"], 2),
        (["--deliver-by", "2020-01-01"], 2),
        (["--deliver-by", "2999-01-01", "--speed", "Normal"], 2),
        (["--every", "0 0 30 2 *"], 2),
        (["--every", "0 9 * * *", "--catch-up", "some"], 2),
        (["--every", "0 9 * * *", "--deliver-by", "2030-01-01"], 2),
        (["--catch-up", "all"], 2),
        (["--catch-up", ""], 2),
        (["--every", "0 9 * * *", "--catch-up", ""], 2),
        (["--send-at", ""], 2),
        (["--postage", ""], 2),
        (["--cap", ""], 2),
        (["--name", "x" * 201], 2),
    ],
)
def test_the_command_line_refuses_them_in_one_line_and_stores_nothing(
    options: list[str],
    code: int,
    database_url: str,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text(PEOPLE)

    ended = main.run(["campaign", "send", "people.csv", "--template", "1001", "--yes", *options])

    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mailrun: ")]
    assert (ended, len(said)) == (code, 1), said
    with engine.connect() as connection:
        stored = [connection.scalar(select(func.count()).select_from(one)) for one in _STORED]
    assert stored == [0, 0, 0]


_STORED = (Campaign, Mailing, Recurrence)
