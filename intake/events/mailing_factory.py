"""From a trigger to a mailing: its options, its time, its people."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from intake.campaigns.batches import Batch, write_batches
from intake.events.durations import end_of, next_mailing_day
from intake.events.triggers import ActiveTrigger, ApprovalThreshold
from intake.options import digest_of_request
from intake.recipients.rows import MailableRow
from intake.rfc3339 import instant
from models import Approval, Priority
from worker.scheduling.schedule import SEND_NOW, Schedule
from worker.scheduling.zoned_time import ZonedTime, zone_named
from worker.transitions import NewMailing

SUBMITTER = "trigger"


def order(
    connection: Connection,
    trigger: ActiveTrigger,
    key: str,
    people: Sequence[MailableRow],
    due: datetime | None,
    now: datetime,
    zone: str,
) -> int:
    """Open a trigger's mailing to these people, paid for not before `due`, and return its id.

    Raises sqlalchemy.exc.IntegrityError if the key is taken.
    """
    declared = trigger.declared
    over = declared.approval.over if isinstance(declared.approval, ApprovalThreshold) else None
    mailing = NewMailing(
        key=key,
        request_digest=digest_of_request(
            {"trigger": trigger.trigger_id, "version": trigger.version, "key": key}
        ),
        priority=Priority.EVENT,
        template_id=declared.template,
        postage=declared.postage,
        speed=declared.speed,
        size=len(people),
        approval=Approval.OVER if isinstance(declared.approval, ApprovalThreshold) else declared.approval,
        approval_over=over,
        auto_bill=declared.auto_bill,
        trigger_id=trigger.trigger_id,
        submitted_by=f"{SUBMITTER} {declared.name}",
        schedule=_schedule(trigger, due, now, zone),
        sparing=declared.sparing,
    )
    return write_batches(connection, [Batch(mailing, people)], now)[0]


def due_time(trigger: ActiveTrigger, event: dict[str, Any], now: datetime, zone: str) -> datetime | None:
    """Return when an event's mailing may be paid for, None for at once: its delay on, and on no day of rest.

    Counted from the event's own time, or from now where it has none or claims to come from the future. A day to mail
    by comes before a delay.
    """
    declared = trigger.declared
    happened = min(instant(event.get("time")) or now, now)
    due = next_mailing_day(
        happened + (declared.delay or timedelta()), declared.quiet_days, _zone(trigger, zone)
    ).instant
    if due <= now:
        due = next_mailing_day(now, declared.quiet_days, _zone(trigger, zone)).instant
    by = trigger.mail_by(event)
    if by is not None:
        due = min(due, max(now, end_of(by, _zone(trigger, zone))))
    return due if due > now else None


def _schedule(trigger: ActiveTrigger, due: datetime | None, now: datetime, zone: str) -> Schedule:
    if due is None or due <= now:
        return SEND_NOW
    place = _zone(trigger, zone)
    wall = due.astimezone(zone_named(place)).replace(tzinfo=None)
    return Schedule(send=ZonedTime(wall, place, due), if_late=trigger.declared.if_late)


def _zone(trigger: ActiveTrigger, zone: str) -> str:
    return trigger.declared.zone or zone
