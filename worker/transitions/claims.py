"""Taking a mailing: the claim, and what its holder sees of it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnClause, Connection, column, literal_column, text

from models import Approval, CapPer, HoldMode, IfLate, Mailing, Stage, State, Transition
from worker.audit import journal

PAUSED = """(EXISTS (SELECT 1 FROM installation WHERE paused_at IS NOT NULL OR disarmed_at IS NOT NULL
                   OR doubted_at IS NOT NULL)
           OR EXISTS (SELECT 1 FROM campaign WHERE id = mailing.campaign_id AND paused_at IS NOT NULL))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedMailing:
    """A mailing as the holder of its claim last saw it; each move reads it anew, pauses and cancels included."""

    id: int
    campaign_id: int | None
    stage: Stage
    claim: UUID
    lease_until: datetime
    recovering: bool
    unsure_since: datetime | None
    order_written_at: datetime | None
    missing_since: datetime | None
    unanswered_since: datetime | None
    resends: int
    attempts: int
    waits: int
    cancel_requested: bool
    template_id: int
    postage: str
    speed: str
    auto_bill: bool
    approval: Approval
    approved_at: datetime | None
    order_id: int | None
    order_fence: int | None
    size: int
    cursor: int
    accepted: int
    rejected: int
    recipients_digest: bytes | None
    quoted: Decimal | None
    approval_over: Decimal | None
    paid_at: datetime | None
    reason_code: str | None
    send_at: datetime | None
    zone: str | None
    hold_until: date | None
    hold_mode: HoldMode | None
    deliver_by: date | None
    if_late: IfLate
    late_after: int
    cap_pieces: int | None
    cap_days: int | None
    cap_per: CapPer | None
    one_per_household: bool
    paused: bool

    @property
    def order(self) -> int:
        """The order's id. Every stage but the first has one: the table's CHECK says so."""
        if self.order_id is None:
            raise LookupError(f"mailing {self.id} has no order yet")
        return self.order_id

    @property
    def may_be_checked_out(self) -> bool:
        """Whether a worker has checked the order out, or may have."""
        return self.stage is Stage.SETTLE or (self.stage is Stage.CHECKOUT and self.recovering)

    @property
    def vendor_hold(self) -> date | None:
        """Until when the vendor is asked to keep the order, once it is paid."""
        return self.hold_until if self.hold_mode is HoldMode.VENDOR else None


CLAIMED_COLUMNS = (
    *(getattr(Mailing, field.name) for field in fields(ClaimedMailing) if field.name != "paused"),
    literal_column(PAUSED).label("paused"),
)
RETURNING = ", ".join(str(column) for column in CLAIMED_COLUMNS[:-1]) + f", {PAUSED} AS paused"
# Named once, so that SQLAlchemy looks at the forty columns of a result once and not at every execution.
COLUMNS: tuple[ColumnClause[Any], ...] = tuple(column(field.name) for field in fields(ClaimedMailing))

# A mailing that kills its worker takes along whatever else is worked on there. Their leases end together, and they
# would die together again; so from the second death on they end apart, and each gets to work without the others.
_APART = "CASE WHEN state = 'working' AND attempts >= 2 THEN (id % 16) / 16.0 * CAST(:lease AS interval) ELSE '0' END"

# The gate row is locked for share, so that a claim either commits before the gate closes, and is then seen in
# flight, or finds it closed. `order_fence` is the newest order known when a create could first have happened.
_CLAIM = f"""
    UPDATE mailing
       SET state        = 'working',
           claim        = :claim,
           lease_until  = :lease_until + {_APART},
           wake_at      = :lease_until + {_APART},
           attempts     = attempts + 1,
           recovering   = recovering OR state = 'working',
           unsure_since = CASE WHEN state = 'working' THEN :now ELSE unsure_since END,
           order_written_at = CASE WHEN state = 'working' THEN least(lease_until, :now) ELSE order_written_at END,
           order_fence  = CASE WHEN stage = 'create' AND order_fence IS NULL
                               THEN (SELECT coalesce(max(order_id), 0) FROM mailing)
                               ELSE order_fence END,
           updated_at   = :now
     WHERE id {{among}}
       AND stage = :stage
       AND (state = 'queued' AND not_before <= :now  OR  state = 'working' AND lease_until <= :now)
       AND (stage = 'settle' OR NOT {PAUSED})
       AND (stage <> 'create' OR recovering OR state = 'working'
            OR (SELECT closed_until <= :now FROM create_gate FOR SHARE))
    RETURNING {RETURNING}
"""  # noqa: S608 - built from constants of this module
CLAIM = text(_CLAIM.format(among="= :id")).columns(*COLUMNS)
# Several at once: not those that somebody is just changing, for who waits for many rows may be waited for himself;
# and not those about which something is to be found out, which may have killed their worker, and would these.
CLAIM_TOGETHER = text(
    _CLAIM.format(
        among="""= ANY (ARRAY(SELECT id
                              FROM mailing
                             WHERE id = ANY (:ids)
                               AND state = 'queued'
                               AND NOT recovering
                               FOR NO KEY UPDATE SKIP LOCKED))"""
    )
).columns(*COLUMNS)


def claim(
    connection: Connection, mailing_id: int, stage: Stage, now: datetime, lease: timedelta
) -> ClaimedMailing | None:
    """Claim a mailing for one stage, or return None: it is not due, not at this stage, held, paused or ended.

    A claim whose lease ran out is taken over; it comes back ``recovering``, for what its holder did is unknown.
    """
    row = connection.execute(CLAIM, _bounds(stage, now, lease) | {"id": mailing_id}).one_or_none()
    if row is None:
        return None
    claimed = mailing_from_row(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    if claimed.recovering and claimed.unsure_since == now:
        journal.save_state_change(connection, claimed.id, now, Transition.STEAL, claimed.stage, State.WORKING)
    return claimed


def claim_many(
    connection: Connection, mailing_ids: Sequence[int], stage: Stage, now: datetime, lease: timedelta
) -> list[ClaimedMailing]:
    """Claim those of several mailings that `claim` would, under one token, but none that is to be recovered.

    One that is named twice is claimed once: its holder would get past every fence twice.
    """
    rows = connection.execute(CLAIM_TOGETHER, _bounds(stage, now, lease) | {"ids": list(mailing_ids)})
    claimed = {row.id: mailing_from_row(row._mapping) for row in rows}  # noqa: SLF001 - as above
    return [claimed[one] for one in dict.fromkeys(mailing_ids) if one in claimed]


def _bounds(stage: Stage, now: datetime, lease: timedelta) -> dict[str, Any]:
    return {"claim": uuid4(), "stage": stage, "now": now, "lease": lease, "lease_until": now + lease}


def mailing_from_row(row: Any, before: ClaimedMailing | None = None) -> ClaimedMailing:  # noqa: ANN401 - RowMapping's values are untyped
    """Return the mailing in a row of ``SEEN``; a released row has no claim: its holder keeps the old one."""
    values = dict(row)
    values["stage"] = Stage(values["stage"])
    values["approval"] = Approval(values["approval"])
    values["if_late"] = IfLate(values["if_late"])
    values["hold_mode"] = values["hold_mode"] and HoldMode(values["hold_mode"])
    values["cap_per"] = values["cap_per"] and CapPer(values["cap_per"])
    if before is not None and values["claim"] is None:
        values |= {"claim": before.claim, "lease_until": before.lease_until}
    return ClaimedMailing(**values)
