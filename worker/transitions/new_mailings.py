"""Opening mailings: the first row, queued for its first stage. ``intake`` calls this inside its own transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert

from models import Approval, Mailing, Priority, Stage, State
from worker.recipients.policy import DO_NOT_MAIL_ONLY, RecipientPolicy
from worker.scheduling.schedule import SEND_NOW, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMailing:
    """What a mailing is opened with. ``size`` is how many recipients are written beside it, from position 0."""

    key: str
    request_digest: bytes
    priority: Priority
    template_id: int
    postage: str
    speed: str
    size: int
    approval: Approval = Approval.AUTO
    approval_over: Decimal | None = None
    auto_bill: bool = True
    campaign_id: int | None = None
    batch: int | None = None
    trigger_id: int | None = None
    submitted_by: str | None = None
    submitter_token: str | None = None
    schedule: Schedule = SEND_NOW
    sparing: RecipientPolicy = DO_NOT_MAIL_ONLY


def insert_mailings(connection: Connection, several: Sequence[NewMailing], now: datetime) -> list[int]:
    """Open mailings and return their ids; they may be worked on once the caller's transaction commits.

    Raises sqlalchemy.exc.IntegrityError if the key of one is taken.
    """
    opened = insert(Mailing).returning(Mailing.id, sort_by_parameter_order=True)
    return list(connection.scalars(opened, [_row(new, now) for new in several]))


def _row(new: NewMailing, now: datetime) -> dict[str, Any]:
    return {
        "key": new.key,
        "request_digest": new.request_digest,
        "stage": Stage.CREATE,
        "state": State.QUEUED,
        "priority": int(new.priority),
        "not_before": now,
        "wake_at": now,
        "template_id": new.template_id,
        "postage": new.postage,
        "speed": new.speed,
        "size": new.size,
        "approval": new.approval,
        "approval_over": new.approval_over,
        "auto_bill": new.auto_bill,
        "campaign_id": new.campaign_id,
        "batch": new.batch,
        "trigger_id": new.trigger_id,
        "submitted_by": new.submitted_by,
        "submitter_token": new.submitter_token,
        **new.schedule.columns(),
        **new.sparing.columns(),
    }
