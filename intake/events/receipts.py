"""Receipts: what became of an event, read from where it stands and never written twice.

Once an event's person is on a mailing, that mailing's row and their own say how it ends; a receipt only reads them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select

from models import Event, EventOutcome, Mailing, Outcome, PaidOrder, Recipient, State, Trigger, TriggerRun

# Of several triggers' answers, the one that a sender most needs to know of.
_WEIGHTIEST_FIRST: Final = (
    EventOutcome.GATHERING,
    EventOutcome.ORDERED,
    EventOutcome.FAILED,
    EventOutcome.PAID,
    EventOutcome.MAILED,
    EventOutcome.INVALID_ADDRESS,
    EventOutcome.SUPPRESSED,
    EventOutcome.CAPPED,
    EventOutcome.DUPLICATE,
    EventOutcome.UNMATCHED,
)


# What the vendor calls an order that it undid: none of its pieces is mailed.
_UNDONE: Final = ("Cancelled", "Refunded", "Deleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerResult:
    """What one trigger made of an event; `position` is the person's place in the mailing, `order` the vendor's."""

    trigger: str
    version: int
    outcome: EventOutcome
    reason: str | None
    mailing: int | None
    order: int | None
    position: int | None
    recipient: int | None
    due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An event, and what became of it by now."""

    number: int
    source: str
    id: str
    type: str
    received_at: datetime
    outcome: EventOutcome
    reason: str | None
    answers: tuple[TriggerResult, ...]


def _outcome() -> ColumnElement[str]:
    refused = func.lower(func.coalesce(Recipient.reason, ""))
    return case(
        (TriggerRun.outcome != EventOutcome.ORDERED, TriggerRun.outcome.cast(Recipient.reason.type)),
        (Recipient.outcome == Outcome.SUPPRESSED, literal(EventOutcome.SUPPRESSED.value)),
        (
            Recipient.outcome.in_([Outcome.CAPPED, Outcome.HOUSEHOLD]),
            literal(EventOutcome.CAPPED.value),
        ),
        # The vendor's own refusals, in its words.
        (
            (Recipient.outcome == Outcome.REJECTED) & refused.contains("duplicate"),
            literal(EventOutcome.DUPLICATE.value),
        ),
        (
            (Recipient.outcome == Outcome.REJECTED) & refused.contains("not mail"),
            literal(EventOutcome.SUPPRESSED.value),
        ),
        (Recipient.outcome == Outcome.REJECTED, literal(EventOutcome.INVALID_ADDRESS.value)),
        (PaidOrder.mailed_at.is_not(None), literal(EventOutcome.MAILED.value)),
        (_is_undone(), literal(EventOutcome.FAILED.value)),
        (
            (Mailing.state == State.SENT) | (Mailing.paid_at.is_not(None) & (Mailing.state != State.FAILED)),
            literal(EventOutcome.PAID.value),
        ),
        (Mailing.state.in_([State.FAILED, State.CANCELLED]), literal(EventOutcome.FAILED.value)),
        else_=literal(EventOutcome.ORDERED.value),
    )


def _is_undone() -> ColumnElement[bool]:
    return PaidOrder.status.in_(_UNDONE) & PaidOrder.mailed_at.is_(None)


def _reason() -> ColumnElement[str | None]:
    cancelled = case((Mailing.state == State.CANCELLED, literal("its mailing was cancelled")))
    undone = case((_is_undone(), literal("LettrLabs shows its order as ") + PaidOrder.status))
    return func.coalesce(TriggerRun.reason, Recipient.reason, Mailing.reason, cancelled, undone)


def _answers(*only: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            TriggerRun.event_id,
            Trigger.name.label("trigger"),
            TriggerRun.version,
            _outcome().label("outcome"),
            _reason().label("reason"),
            TriggerRun.mailing_id.label("mailing"),
            Mailing.order_id.label("order"),
            TriggerRun.position,
            Recipient.vendor_id.label("recipient"),
            TriggerRun.due,
        )
        .join(Trigger, Trigger.id == TriggerRun.trigger_id)
        .outerjoin(Mailing, Mailing.id == TriggerRun.mailing_id)
        .outerjoin(PaidOrder, PaidOrder.mailing_id == TriggerRun.mailing_id)
        .outerjoin(
            Recipient,
            (Recipient.mailing_id == TriggerRun.mailing_id) & (Recipient.position == TriggerRun.position),
        )
        .where(*only)
    )


_FACTS = (Event.id, Event.source, Event.event_id, Event.type, Event.received_at, Event.outcome, Event.reason)


def receipt(connection: Connection, number: int) -> Receipt | None:
    """Return the receipt of an event, None if there is no such event."""
    rows = connection.execute(select(*_FACTS).where(Event.id == number)).all()
    return next(iter(_receipts(connection, rows)), None)


def list_receipts(
    connection: Connection,
    *,
    limit: int,
    before: int | None = None,
    outcome: EventOutcome | None = None,
    source: str | None = None,
    kind: str | None = None,
) -> list[Receipt]:
    """Return the newest receipts, newest first, from below a number on."""
    query = select(*_FACTS).order_by(Event.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Event.id < before)
    if source is not None:
        query = query.where(Event.source == source)
    if kind is not None:
        query = query.where(Event.type == kind)
    if outcome is not None:
        answer = (
            _answers(TriggerRun.event_id == Event.id, _outcome() == outcome.value).correlate(Event).exists()
        )
        alone = Event.outcome == outcome if outcome is not EventOutcome.ORDERED else literal(value=False)
        query = query.where(alone | answer)
    return list(_receipts(connection, connection.execute(query).all()))


def _receipts(connection: Connection, rows: Iterable[Any]) -> Iterable[Receipt]:
    rows = list(rows)
    answers: dict[int, list[TriggerResult]] = {row.id: [] for row in rows}
    found = connection.execute(_answers(TriggerRun.event_id.in_(list(answers))).order_by(Trigger.name))
    for row in found:
        values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
        number = values.pop("event_id")
        answers[number].append(TriggerResult(**values | {"outcome": EventOutcome(values["outcome"])}))
    for row in rows:
        outcome, reason = _overall(row.outcome, row.reason, answers[row.id])
        yield Receipt(
            number=row.id,
            source=row.source,
            id=row.event_id,
            type=row.type,
            received_at=row.received_at,
            outcome=outcome,
            reason=reason,
            answers=tuple(answers[row.id]),
        )


def _overall(
    own: EventOutcome, reason: str | None, answers: list[TriggerResult]
) -> tuple[EventOutcome, str | None]:
    if own is not EventOutcome.ORDERED or not answers:
        return own, reason
    first = min(answers, key=lambda answer: _WEIGHTIEST_FIRST.index(answer.outcome))
    return first.outcome, first.reason
