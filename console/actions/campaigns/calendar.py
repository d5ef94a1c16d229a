"""The calendar, another time for a mailing, and the end of a rule."""

import time
from datetime import timedelta
from typing import Final

from console.actions.campaigns.watch import no_campaign
from console.actions.decisions import who
from console.errors import CommandError, UsageError
from console.output import print_note, print_result, show_json
from console.queries import calendar, campaigns, mailings
from console.queries.mailings import MailingFacts
from console.session import Session, open_session
from console.views.calendar import calendar_table
from console.views.time_formatting import time_facts
from intake.schedule_options import ScheduleOptions, schedule_for
from models import HoldMode
from worker import transitions
from worker.clock import system_clock
from worker.scheduling import recurrence_rules
from worker.scheduling.schedule import Schedule
from worker.scheduling.zoned_time import ZonedTime, zone_named
from worker.transitions import RescheduleOutcome

# A worker quotes in a moment; one that takes longer is at something that cannot be interrupted.
_PATIENCE_SECONDS: Final = 5.0
_WORDS: Final = {
    RescheduleOutcome.BUSY: "is in a worker's hands right now: try again in a moment",
    RescheduleOutcome.TOO_LATE: "too late: it is paid, or may be",
    RescheduleOutcome.CANCELLING: "is being cancelled",
    RescheduleOutcome.ASKING: "needs attention for another reason: see `mailrun attention show`",
    RescheduleOutcome.ENDED: "has ended",
    RescheduleOutcome.UNKNOWN: "there is no such mailing; see `mailrun mailing list`",
}


def show_calendar(limit: int, *, as_json: bool) -> None:
    """Print what is due when, and why."""
    now = system_clock()
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        entries = calendar.upcoming(connection, now, limit)
        if as_json:
            show_json(session.vendor, calendar=entries)
        else:
            print_result(calendar_table(entries, now) if entries else "Nothing is due.")


def reschedule(mailing_ids: list[int], asked: ScheduleOptions) -> int:
    """Give mailings another time; returns 1 if one of them could not be. Raises IntakeError, UsageComplaint."""
    if not any((asked.send_at, asked.hold_until, asked.deliver_by, asked.if_late)):
        raise UsageError("say another time: --send-at, --hold-until, --deliver-by or --if-late")
    with open_session() as session:
        outcomes = [_reschedule(session, one, asked) for one in dict.fromkeys(mailing_ids)]
    return 0 if all(one is RescheduleOutcome.RESCHEDULED for one in outcomes) else 1


def _reschedule(session: Session, mailing_id: int, asked: ScheduleOptions) -> RescheduleOutcome:
    before = _facts(session, mailing_id)
    if before is None:
        print_note(f"mailing {mailing_id}: {_WORDS[RescheduleOutcome.UNKNOWN]}")
        return RescheduleOutcome.UNKNOWN
    new = schedule_for(
        asked, now=system_clock(), default_zone=session.settings.zone, before=_schedule_of(before)
    )
    outcome = _until_not_busy(session, mailing_id, new)
    after = _facts(session, mailing_id)
    if outcome is RescheduleOutcome.RESCHEDULED and after is not None:
        told = ", ".join(f"{name} {words}" for name, words in time_facts(after, system_clock()))
        print_result(f"mailing {mailing_id}: {told}")
    else:
        print_note(f"mailing {mailing_id}: {_WORDS[outcome]}")
    return outcome


def _until_not_busy(session: Session, mailing_id: int, new: Schedule) -> RescheduleOutcome:
    patience = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with session.engine.begin() as connection:
            outcome = transitions.reschedule(connection, mailing_id, new, who(), system_clock())
        if outcome is not RescheduleOutcome.BUSY or time.monotonic() > patience:
            return outcome
        time.sleep(0.1)


def _facts(session: Session, mailing_id: int) -> MailingFacts | None:
    with session.engine.connect() as connection:
        return mailings.mailing(connection, mailing_id)


def _schedule_of(one: MailingFacts) -> Schedule:
    send = None
    if one.send_at is not None and one.zone is not None:
        wall = one.send_at.astimezone(zone_named(one.zone)).replace(tzinfo=None)
        send = ZonedTime(wall, one.zone, one.send_at)
    return Schedule(
        send=send,
        hold_until=one.hold_until,
        hold_mode=one.hold_mode and HoldMode(one.hold_mode),
        deliver_by=one.deliver_by,
        if_late=one.if_late,
        late_after=timedelta(seconds=one.late_after),
    )


def stop(campaign_id: int) -> None:
    """Open no further occurrence of a campaign's rule; raises Complaint if it has none."""
    with open_session() as session, session.engine.begin() as connection:
        if campaigns.campaign(connection, campaign_id) is None:
            raise no_campaign(campaign_id)
        rule = calendar.recurrence_of(connection, campaign_id)
        if rule is None:
            raise CommandError(f"campaign {campaign_id} does not recur; see `mailrun campaign cancel --help`")
        ended = recurrence_rules.end(connection, rule, system_clock())
    words = "recurs no more" if ended else "recurred no more before"
    print_note(f"Campaign {campaign_id} {words}; what is open of it goes on unless it is cancelled.")
