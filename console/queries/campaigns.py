"""How far a campaign is. It follows from its mailings' rows, a handful each, never from its recipients."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Integer, and_, cast, func, select

from models import ENDED, OPEN, SPARED, Campaign, Mailing, Recipient, RejectedRow, Stage, State

Instant = TypeVar("Instant", date, datetime)


class Status(StrEnum):
    """A campaign's state in one word: who has the next word on it, or how it ended."""

    PREPARING = "preparing"
    APPROVAL = "approval"
    SENDING = "sending"
    SCHEDULED = "scheduled"
    PAUSED = "paused"
    ATTENTION = "attention"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Group:
    """The mailings of a campaign that are at one stage in one state, with their sums.

    Money is in the vendor's currency; `quoted` and `charged` sum what is known so far. `held` counts those of them
    that are ready and wait for their own time.
    """

    stage: Stage
    state: State
    mailings: int
    size: int
    handed_over: int
    accepted: int
    rejected: int
    quoted: Decimal
    quoted_from_credits: Decimal
    charged: Decimal
    charged_from_credits: Decimal
    held: int
    spared: int
    first_send_at: datetime | None
    last_send_at: datetime | None
    first_hold_until: date | None
    last_hold_until: date | None
    deliver_by: date | None
    last_paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """A campaign and how far it is.

    `rejected` are rows of the file, `refused` people the vendor did not take, `spared` people whom a list or a rule
    of ours keeps from being mailed.
    """

    id: int
    key: str
    name: str
    rows: int
    people: int
    rejected: int
    mailings: int
    paused_at: datetime | None
    created_at: datetime
    groups: tuple[Group, ...]

    @property
    def accepted(self) -> int:
        """People on the orders."""
        return sum(group.accepted for group in self.groups)

    @property
    def refused(self) -> int:
        """People the vendor did not take."""
        return sum(group.rejected - group.spared for group in self.groups)

    @property
    def spared(self) -> int:
        """People whom a suppression list, a frequency cap or the rule of one piece for a household spares."""
        return sum(group.spared for group in self.groups)

    @property
    def sends(self) -> tuple[datetime, datetime] | None:
        """The first and the last time that its orders wait for, None if they wait for none."""
        return _span((group.first_send_at, group.last_send_at) for group in self.groups)

    @property
    def holds(self) -> tuple[date, date] | None:
        """The first and the last day until which its orders are held, None if they are not."""
        return _span((group.first_hold_until, group.last_hold_until) for group in self.groups)

    @property
    def deliver_by(self) -> date | None:
        """The day by which the first of its orders must arrive."""
        return min((group.deliver_by for group in self.groups if group.deliver_by), default=None)

    @property
    def paid_at(self) -> datetime | None:
        """When the last of its orders so far was paid."""
        return max((group.last_paid_at for group in self.groups if group.last_paid_at), default=None)

    @property
    def quoted(self) -> Decimal:
        """What the orders quoted so far would cost."""
        return sum((group.quoted for group in self.groups), Decimal(0))

    @property
    def charged(self) -> Decimal:
        """What was charged so far."""
        return sum((group.charged for group in self.groups), Decimal(0))

    @property
    def quoted_from_credits(self) -> Decimal:
        """How much of the quotes the account's credits would pay."""
        return sum((group.quoted_from_credits for group in self.groups), Decimal(0))

    @property
    def charged_from_credits(self) -> Decimal:
        """How much of the charges the account's credits paid."""
        return sum((group.charged_from_credits for group in self.groups), Decimal(0))

    @property
    def rests(self) -> bool:
        """Whether nothing moves until a person does, or its time comes: every mailing ended, asks or is held."""
        return self.count(State.QUEUED, State.WORKING) == self.held

    @property
    def held(self) -> int:
        """How many mailings are ready and wait for their time."""
        return sum(group.held for group in self.groups)

    @property
    def status(self) -> Status:
        """The state in one word, the most pressing one first."""
        if self.count(State.ATTENTION):
            return Status.ATTENTION
        if self.paused_at and self.count(*OPEN):
            return Status.PAUSED
        if not self.rests:
            late = sum(group.mailings for group in self.groups if group.stage in _LATE)
            return Status.SENDING if late else Status.PREPARING
        if self.held and not self.count(State.APPROVAL):
            return Status.SCHEDULED
        return next(status for state, status in _AT_REST if self.count(state) or state is State.CANCELLED)

    @property
    def steps(self) -> tuple[int, int]:
        """How many stages are behind all mailings, and how many there are."""
        stages = list(Stage)
        done = sum(group.mailings * _stages_behind(group, stages) for group in self.groups)
        return done, self.mailings * len(stages)

    def count(self, *states: State) -> int:
        """Return how many mailings are in any of these states."""
        return sum(group.mailings for group in self.groups if group.state in states)

    def told(self) -> dict[str, Any]:
        """Return it with what follows from it, for JSON."""
        states = {state.value: self.count(state) for state in State}
        sums = {name: getattr(self, name) for name in _SUMS}
        return asdict(self) | {"status": self.status} | sums | {"states": states}


_SUMS = (
    *("accepted", "refused", "spared", "quoted", "quoted_from_credits", "charged", "charged_from_credits"),
    *("sends", "holds", "deliver_by", "paid_at"),
)


def _span(spans: Iterable[tuple[Instant | None, Instant | None]]) -> tuple[Instant, Instant] | None:
    known = [(first, last) for first, last in spans if first is not None and last is not None]
    return (min(first for first, _ in known), max(last for _, last in known)) if known else None


_LATE = frozenset({Stage.CHECKOUT, Stage.SETTLE})
_AT_REST = (
    (State.APPROVAL, Status.APPROVAL),
    (State.FAILED, Status.FAILED),
    (State.SENT, Status.SENT),
    (State.CANCELLED, Status.CANCELLED),
)


def _stages_behind(group: Group, stages: Sequence[Stage]) -> int:
    return len(stages) if group.state in ENDED else stages.index(group.stage)


def list_campaigns(connection: Connection, limit: int, before: int | None = None) -> list[CampaignProgress]:
    """Return the newest campaigns, newest first, or the newest of those before one."""
    newest = select(Campaign.id).order_by(Campaign.id.desc()).limit(limit)
    if before is not None:
        newest = newest.where(Campaign.id < before)
    return _standings(connection, Campaign.id.in_(newest.scalar_subquery()))


def campaign(connection: Connection, campaign_id: int) -> CampaignProgress | None:
    """Return one campaign, or None if there is none with this number."""
    found = _standings(connection, Campaign.id == campaign_id)
    return found[0] if found else None


def _standings(connection: Connection, which: ColumnElement[bool]) -> list[CampaignProgress]:
    campaigns = connection.execute(select(*_CAMPAIGN).where(which).order_by(Campaign.id.desc())).all()
    grouped = _groups(connection, [row.id for row in campaigns])
    return [
        CampaignProgress(**row._mapping, groups=tuple(grouped.get(row.id, ())))  # noqa: SLF001 - a row as a mapping
        for row in campaigns
    ]


_CAMPAIGN = (
    Campaign.id,
    Campaign.key,
    Campaign.name,
    Campaign.rows,
    Campaign.people,
    Campaign.rejected,
    Campaign.mailings,
    Campaign.paused_at,
    Campaign.created_at,
)


# A mailing that waits for its own time is queued at its checkout until exactly then.
_IS_HELD = and_(
    Mailing.state == State.QUEUED,
    Mailing.stage == Stage.CHECKOUT,
    Mailing.not_before == Mailing.send_at,
    Mailing.not_before > func.now(),
)

# A mailing's count of rejected people holds those whom we spare as well. Few people are: their index is small.
_SPARED = (
    select(func.count())
    .select_from(Recipient)
    .where(Recipient.mailing_id == Mailing.id, Recipient.outcome.in_(SPARED))
    .correlate(Mailing)
    .scalar_subquery()
)


def _groups(connection: Connection, campaign_ids: Iterable[int]) -> dict[int | None, list[Group]]:
    rows = connection.execute(
        select(
            Mailing.campaign_id,
            Mailing.stage,
            Mailing.state,
            func.count().label("mailings"),
            func.sum(Mailing.size).label("size"),
            func.sum(Mailing.cursor).label("handed_over"),
            func.sum(Mailing.accepted).label("accepted"),
            func.sum(Mailing.rejected).label("rejected"),
            func.coalesce(func.sum(Mailing.quoted), Decimal(0)).label("quoted"),
            func.coalesce(func.sum(Mailing.quoted_from_credits), Decimal(0)).label("quoted_from_credits"),
            func.coalesce(func.sum(Mailing.charged), Decimal(0)).label("charged"),
            func.coalesce(func.sum(Mailing.charged_from_credits), Decimal(0)).label("charged_from_credits"),
            func.count().filter(_IS_HELD).label("held"),
            cast(func.coalesce(func.sum(_SPARED), 0), Integer).label("spared"),
            func.min(Mailing.send_at).label("first_send_at"),
            func.max(Mailing.send_at).label("last_send_at"),
            func.min(Mailing.hold_until).label("first_hold_until"),
            func.max(Mailing.hold_until).label("last_hold_until"),
            func.min(Mailing.deliver_by).label("deliver_by"),
            func.max(Mailing.paid_at).label("last_paid_at"),
        )
        .where(Mailing.campaign_id.in_(campaign_ids))
        .group_by(Mailing.campaign_id, Mailing.stage, Mailing.state)
        .order_by(Mailing.stage, Mailing.state)
    )
    grouped: dict[int | None, list[Group]] = {}
    for campaign_id, *values in rows:
        grouped.setdefault(campaign_id, []).append(Group(*values))
    return grouped


@dataclass(frozen=True, slots=True)
class NextStep:
    """Why a mailing of a campaign waits, and when work on it goes on."""

    mailing_id: int
    why: str
    until: datetime


def waiting(connection: Connection, campaign_id: int) -> NextStep | None:
    """Return the mailing that is first to go on among those that wait for something, if any does."""
    row = connection.execute(
        select(Mailing.id, Mailing.reason, Mailing.not_before)
        .where(Mailing.campaign_id == campaign_id, Mailing.state == State.QUEUED, Mailing.reason.is_not(None))
        .order_by(Mailing.not_before)
        .limit(1)
    ).one_or_none()
    return None if row is None else NextStep(row.id, row.reason, row.not_before)


def mailings_in(connection: Connection, campaign_id: int, *states: State) -> list[int]:
    """Return the numbers of a campaign's mailings in these states, in their sequence."""
    return list(
        connection.scalars(
            select(Mailing.id)
            .where(Mailing.campaign_id == campaign_id, Mailing.state.in_(states))
            .order_by(Mailing.batch)
        )
    )


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row of the file that is not mailed."""

    row: int
    code: str
    reason: str


def rejections(connection: Connection, campaign_id: int, limit: int) -> list[Rejection]:
    """Return the first rejected rows of a campaign's file."""
    rows = connection.execute(
        select(RejectedRow.row, RejectedRow.code, RejectedRow.reason)
        .where(RejectedRow.campaign_id == campaign_id)
        .order_by(RejectedRow.row)
        .limit(limit)
    )
    return [Rejection(*row) for row in rows]
