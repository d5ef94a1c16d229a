"""What waits for a person to decide: mailings of which it is not known what is right."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, case, func, select

from models import Campaign, Mailing, Stage, State, StateChange, Transition

# A screen's worth; `mailrun mailing list` has them all.
_MOST_CAUSES: Final = 10
_ASKED: Final = (Transition.ASK_PERSON.value, Transition.REOPEN.value)
# Longer than a settlement window, and than most outages: by then a person may want to look.
LONG_WAIT: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Asking:
    """A mailing that needs attention, and why."""

    mailing_id: int
    campaign_id: int | None
    campaign: str | None
    stage: Stage
    order_id: int | None
    reason_code: str | None
    reason: str
    since: datetime
    recovering: bool
    order_written_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mailing that has waited for LettrLabs for long, and why."""

    mailing_id: int
    stage: Stage
    order_id: int | None
    reason: str
    since: datetime


_ASKING = (
    select(
        Mailing.id,
        Mailing.campaign_id,
        Campaign.name,
        Mailing.stage,
        Mailing.order_id,
        Mailing.reason_code,
        func.coalesce(Mailing.reason, ""),
        Mailing.updated_at,
        Mailing.recovering,
        Mailing.order_written_at,
    )
    .join(Campaign, isouter=True)
    .where(Mailing.state == State.ATTENTION)
    .order_by(Mailing.id)
)


def asking(connection: Connection, mailing_id: int) -> Asking | None:
    """Return why a mailing needs attention, or None if it does not."""
    row = connection.execute(_ASKING.where(Mailing.id == mailing_id)).one_or_none()
    return None if row is None else Asking(*list(row))


_WAITING_SINCE = func.least(
    Mailing.unanswered_since,
    Mailing.missing_since,
    case((Mailing.stage == Stage.SETTLE, Mailing.order_written_at)),
)


def list_waiting(connection: Connection, now: datetime, limit: int) -> list[Waiting]:
    """Return the mailings that have waited for LettrLabs for long, the longest first: nothing else keeps them."""
    query = (
        select(Mailing.id, Mailing.stage, Mailing.order_id, func.coalesce(Mailing.reason, ""), _WAITING_SINCE)
        .where(
            Mailing.state.in_([State.QUEUED, State.WORKING]),
            Mailing.waits > 0,
            now - LONG_WAIT > _WAITING_SINCE,
        )
        .order_by(_WAITING_SINCE)
        .limit(limit)
    )
    return [Waiting(*row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why mailings of a campaign wait for a person, for approval too: how many of them, and the first."""

    reason: str
    mailings: int
    first: int


def causes(connection: Connection, campaign_id: int) -> list[Cause]:
    """Return why a campaign's mailings wait for a person, as far as there is more to say than that they do."""
    first = func.min(Mailing.id)
    rows = connection.execute(
        select(func.coalesce(Mailing.reason, ""), func.count(), first)
        .where(
            Mailing.campaign_id == campaign_id,
            Mailing.state.in_([State.APPROVAL, State.ATTENTION]),
            Mailing.reason.is_not(None),
        )
        .group_by(Mailing.reason)
        .order_by(first)
        .limit(_MOST_CAUSES)
    )
    return [Cause(*row) for row in rows]


def facts_seen(connection: Connection, mailing_id: int) -> dict[str, Any]:
    """Return what was seen when a person was last asked about a mailing."""
    detail = connection.scalars(
        select(StateChange.detail)
        .where(StateChange.mailing_id == mailing_id, StateChange.move.in_(_ASKED))
        .order_by(StateChange.id.desc())
        .limit(1)
    ).one_or_none()
    return dict((detail or {}).get("facts", {}))
