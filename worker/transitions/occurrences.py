"""Opening an occurrence of a rule: a campaign, its mailings, people and limits, copied from the rule's first one."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, String, cast, func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.orm import aliased

from models import Budget, BudgetScope, Campaign, Mailing, Recipient
from worker.scheduling.schedule import Schedule

# What a mailing was submitted with; its schedule is the occurrence's own, and all else is how far it has come.
# A test holds every column of a mailing to one of the three.
ASKED: Final = (
    "request_digest",
    "batch",
    "priority",
    "template_id",
    "postage",
    "speed",
    "auto_bill",
    "approval",
    "approval_over",
    "submitted_by",
    "submitter_token",
    "size",
    "suppress",
    "cap_pieces",
    "cap_days",
    "cap_per",
    "one_per_household",
)
# How far a person has come is told anew for every occurrence.
_PROGRESS: Final = frozenset({"mailing_id", "outcome", "vendor_id", "reason", "counted_on"})
_COUNTS: Final = ("people", "mailings", "name", "request_digest")


def copy_campaign(
    connection: Connection, recurrence_id: int, at: datetime, schedule: Schedule, now: datetime
) -> int | None:
    """Open the campaign of one occurrence, and return its id; None if it was opened before."""
    first = connection.scalars(
        select(Campaign.id).where(Campaign.recurrence_id == recurrence_id).order_by(Campaign.id).limit(1)
    ).one()
    opened = _open_campaign(connection, first, recurrence_id, at)
    if opened is not None:
        _open_mailings(connection, first, opened, schedule, now)
        _copy_people(connection, first, opened)
        _copy_limits(connection, first, opened)
    return opened


def _open_campaign(connection: Connection, first: int, recurrence_id: int, at: datetime) -> int | None:
    copied = [getattr(Campaign, name) for name in _COUNTS]
    key = f"campaign:{recurrence_id}:{at.isoformat()}"
    values = select(
        *copied, Campaign.people, literal(0), literal(key), Campaign.recurrence_id, literal(at)
    ).where(Campaign.id == first)
    names = [*_COUNTS, "rows", "rejected", "key", "recurrence_id", "occurrence_at"]
    statement = insert_or_not(Campaign).from_select(names, values)
    opened: int | None = connection.scalar(
        statement.on_conflict_do_nothing(
            index_elements=[Campaign.recurrence_id, Campaign.occurrence_at]
        ).returning(Campaign.id)
    )
    return opened


def _open_mailings(
    connection: Connection, first: int, opened: int, schedule: Schedule, now: datetime
) -> None:
    asked = [getattr(Mailing, name) for name in ASKED]
    own = {name: value for name, value in schedule.columns().items() if value is not None}
    key = func.concat(f"campaign:{opened}:", cast(Mailing.batch, String))
    values = select(
        *asked,
        literal(opened),
        key,
        literal(now),
        literal(now),
        *(literal(value, type_=Mailing.__table__.columns[name].type) for name, value in own.items()),
    ).where(Mailing.campaign_id == first)
    names = [*ASKED, "campaign_id", "key", "not_before", "wake_at", *own]
    connection.execute(insert(Mailing).from_select(names, values))


def _copy_people(connection: Connection, first: int, opened: int) -> None:
    theirs, ours = aliased(Mailing), aliased(Mailing)
    copied = [column for column in Recipient.__table__.columns if column.name not in _PROGRESS]
    values = (
        select(ours.id, *copied)
        .join(theirs, theirs.id == Recipient.mailing_id)
        .join(ours, ours.batch == theirs.batch)
        .where(theirs.campaign_id == first, ours.campaign_id == opened)
    )
    names = ["mailing_id", *(column.name for column in copied)]
    connection.execute(insert(Recipient).from_select(names, values))


def _copy_limits(connection: Connection, first: int, opened: int) -> None:
    """Give the occurrence the limits of the first as its own: what one may cost, the next may."""
    copied = [column for column in Budget.__table__.columns if column.name != "subject"]
    values = select(literal(opened), *copied).where(
        Budget.purse == BudgetScope.CAMPAIGN, Budget.subject == first
    )
    connection.execute(insert(Budget).from_select(["subject", *(column.name for column in copied)], values))
