"""One mailing, and lists of them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from models import (
    SPARED,
    Approval,
    HoldMode,
    IfLate,
    Mailing,
    Proof,
    Recipient,
    Stage,
    State,
    StateChange,
    VendorCall,
)


@dataclass(frozen=True, slots=True)
class MailingFacts:
    """A mailing's row, as far as a person cares. Money is in the vendor's currency."""

    id: int
    campaign_id: int | None
    batch: int | None
    stage: Stage
    state: State
    order_id: int | None
    order_status: str | None
    template_id: int
    postage: str
    speed: str
    size: int
    accepted: int
    rejected: int
    quoted: Decimal | None
    quoted_from_credits: Decimal | None
    charged: Decimal | None
    charged_from_credits: Decimal | None
    approval: Approval
    approved_at: datetime | None
    approved_by: str | None
    attempts: int
    cancel_requested: bool
    reason_code: str | None
    reason: str | None
    not_before: datetime
    created_at: datetime
    updated_at: datetime
    send_at: datetime | None
    zone: str | None
    hold_until: date | None
    hold_mode: HoldMode | None
    deliver_by: date | None
    if_late: IfLate
    late_after: int
    price_until: datetime | None
    price_after: Decimal | None
    spared: int

    @property
    def refused(self) -> int:
        """People the vendor did not take: `rejected` holds those whom a list or a rule of ours spares as well."""
        return self.rejected - self.spared


_SPARED = (
    select(func.count())
    .select_from(Recipient)
    .where(Recipient.mailing_id == Mailing.id, Recipient.outcome.in_(SPARED))
    .correlate(Mailing)
    .scalar_subquery()
)
_FACTS = (*(getattr(Mailing, name) for name in MailingFacts.__slots__ if name != "spared"), _SPARED)


@dataclass(frozen=True, slots=True)
class Event:
    """One move of a mailing, as the event log has it."""

    at: datetime
    move: str
    stage: str
    state: str
    actor: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallMade:
    """One call to the vendor, as the journal has it."""

    started_at: datetime
    operation: str
    method: str
    path: str
    outcome: str
    status: int | None
    elapsed_ms: int
    words: str | None


def list_mailings(
    connection: Connection,
    *,
    campaign_id: int | None = None,
    state: State | None = None,
    before: int | None = None,
    limit: int,
) -> list[MailingFacts]:
    """Return the newest mailings, newest first, or the newest of those before one."""
    query = select(*_FACTS).order_by(Mailing.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Mailing.id < before)
    if campaign_id is not None:
        query = query.where(Mailing.campaign_id == campaign_id)
    if state is not None:
        query = query.where(Mailing.state == state)
    return [MailingFacts(*row) for row in connection.execute(query)]


def mailing(connection: Connection, mailing_id: int) -> MailingFacts | None:
    """Return one mailing, or None if there is none with this number."""
    row = connection.execute(select(*_FACTS).where(Mailing.id == mailing_id)).one_or_none()
    return None if row is None else MailingFacts(*row)


def timeline(connection: Connection, mailing_id: int, limit: int) -> list[Event]:
    """Return the newest moves of a mailing, oldest first."""
    columns = (
        StateChange.at,
        StateChange.move,
        StateChange.stage,
        StateChange.state,
        StateChange.actor,
        StateChange.detail,
    )
    rows = connection.execute(
        select(*columns)
        .where(StateChange.mailing_id == mailing_id)
        .order_by(StateChange.id.desc())
        .limit(limit)
    )
    return [Event(*row) for row in reversed(rows.all())]


def calls(connection: Connection, mailing_id: int, limit: int) -> list[CallMade]:
    """Return the newest calls to the vendor for a mailing, oldest first. `words` may quote an address."""
    columns = tuple(getattr(VendorCall, name) for name in CallMade.__slots__)
    rows = connection.execute(
        select(*columns)
        .where(VendorCall.mailing_id == mailing_id)
        .order_by(VendorCall.id.desc())
        .limit(limit)
    )
    return [CallMade(*row) for row in reversed(rows.all())]


def proof(connection: Connection, mailing_id: int) -> bytes | None:
    """Return a mailing's proof as a PDF, or None if there is none yet."""
    return connection.scalars(
        select(Proof.pdf).join(Mailing, Mailing.proof_sha256 == Proof.sha256).where(Mailing.id == mailing_id)
    ).one_or_none()
