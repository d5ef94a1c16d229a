"""Single mailings: a few people at once, for a program that knows them already."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from intake.campaigns.batches import Batch, rows_for, write_batches
from intake.campaigns.submit import LARGEST_BATCH_SIZE
from intake.errors import ConflictError, ErrorCode, IntakeError
from intake.options import Options, digest_of_request, require_usable_key
from intake.recipients.recipient import Recipient
from intake.suppression.lists import require_lists
from models import Mailing, Priority
from worker.clock import Clock, system_clock
from worker.transitions import NewMailing


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedMailing:
    """A submitted mailing. `created` is False if it was there before, and this changed nothing.

    `people` counts those it goes to; who was named more than once counts, and is mailed, once.
    """

    mailing_id: int
    created: bool
    people: int


def submit_mailing(
    engine: Engine,
    recipients: Sequence[Recipient],
    options: Options,
    *,
    key: str,
    priority: Priority = Priority.EVENT,
    submitted_by: str | None = None,
    submitter_token: str | None = None,
    clock: Clock = system_clock,
) -> SubmittedMailing:
    """Queue one mailing to recipients that `AddressGate.admit` let through.

    Raises IntakeError if there are none or too many, ConflictError if the key belongs to other content.
    """
    require_usable_key(key)
    if not 1 <= len(recipients) <= LARGEST_BATCH_SIZE:
        raise IntakeError(ErrorCode.BAD_OPTION, f"A mailing goes to 1 to {LARGEST_BATCH_SIZE:,} people.")
    if options.limits.given:
        raise IntakeError(
            ErrorCode.BAD_OPTION, "Limits are a campaign's or a trigger's: a single mailing has none."
        )
    people = _each_once(recipients)
    mailing = NewMailing(
        key=key,
        request_digest=digest_of_request({**options.told(), "people": [one._asdict() for one in people]}),
        priority=priority,
        template_id=options.template_id,
        postage=options.postage,
        speed=options.speed,
        size=len(people),
        approval=options.approval,
        approval_over=options.approval_over,
        submitted_by=submitted_by,
        submitter_token=submitter_token,
        auto_bill=options.auto_bill,
        schedule=options.schedule,
        sparing=options.sparing,
    )
    try:
        with engine.begin() as connection:
            require_lists(connection, options.sparing.lists)
            batch = Batch(mailing, rows_for(connection, people))
            (mailing_id,) = write_batches(connection, [batch], clock())
    except IntegrityError:
        with engine.connect() as connection:
            return _earlier(connection, mailing)
    return SubmittedMailing(mailing_id=mailing_id, created=True, people=len(people))


def _each_once(recipients: Sequence[Recipient]) -> list[Recipient]:
    first: dict[bytes, Recipient] = {}
    for recipient in recipients:
        first.setdefault(recipient.digest, recipient)
    return list(first.values())


def _earlier(connection: Connection, mailing: NewMailing) -> SubmittedMailing:
    there = connection.execute(
        select(Mailing.id, Mailing.request_digest, Mailing.size, Mailing.created_at).where(
            Mailing.key == mailing.key
        )
    ).one()
    if there.request_digest != mailing.request_digest:
        raise ConflictError(
            f'The key "{mailing.key}" belongs to mailing {there.id} of {there.created_at:%Y-%m-%d %H:%M %Z}, with '
            "other people or other options: nothing was sent now; give a new key to send this as well.",
            there.id,
        )
    return SubmittedMailing(mailing_id=there.id, created=False, people=there.size)
