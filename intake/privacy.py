"""What is known of one person: handed out to them, or forgotten. People are found by their digests.

The digests of a person, the counts they are part of and what was paid stay: the digests so that they are not mailed
again, the counts and sums because nothing about them tells who it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from intake.events.pending import waiting
from intake.suppression.lists import EntryDigest, Origin, add, open_list
from models import (
    DO_NOT_MAIL,
    ENDED,
    Erasure,
    Event,
    EventOutcome,
    IdentityKind,
    Mailing,
    Recipient,
    Suppression,
    TriggerRun,
)
from worker.periodic.retention import RecipientKey, blank_recipients

_FIELDS: Final = (
    "first_name",
    "last_name",
    "organization",
    "salutation",
    "address1",
    "address2",
    "city",
    "state",
    "zip_code",
    "country",
    "email",
    "phone",
    "customer_id",
    "merge",
)
_COLUMNS: Final[dict[IdentityKind, Any]] = {
    IdentityKind.PERSON: Recipient.person_digest,
    IdentityKind.ADDRESS: Recipient.address_digest,
    IdentityKind.EMAIL: Recipient.email_digest,
    IdentityKind.CUSTOMER: Recipient.customer_digest,
}
# Who shares an address or a house is somebody else: these marks are one person's own.
_OWN: Final = (IdentityKind.PERSON, IdentityKind.EMAIL, IdentityKind.CUSTOMER)

Marks = Mapping[IdentityKind, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was forgotten: pieces blanked at once, pieces on mailings under way, which follow when those have ended.

    `waiting` counts events in gatherings, whose orders they will not be in; `suppressed` the marks that were put on
    do-not-mail; `proofs` are the mailings whose proof went.
    """

    blanked: int
    pending: int
    waiting: int
    suppressed: int
    proofs: tuple[int, ...]


def export(connection: Connection, marks: Marks) -> dict[str, Any]:
    """Return all that is kept about a person, as JSON knows it: pieces with their data, events, suppressions."""
    pieces = connection.execute(
        select(
            *(getattr(Recipient, name) for name in _FIELDS),
            Recipient.mailing_id,
            Recipient.position,
            Recipient.digest,
            Recipient.outcome,
            Recipient.reason,
            Recipient.counted_on,
            Mailing.state.label("mailing_state"),
            Mailing.order_id,
            Mailing.created_at,
        )
        .join(Mailing, Mailing.id == Recipient.mailing_id)
        .where(_are(marks))
        .order_by(Recipient.mailing_id, Recipient.position)
    ).all()
    digests = set(marks.values())
    wholes = {row.digest for row in pieces} | {one.whole for one in waiting(connection, _own(marks))}
    return {
        "pieces": [_piece(row) for row in pieces],
        "events": _events(connection, [RecipientKey(row.mailing_id, row.position) for row in pieces], wholes),
        "suppressions": _suppressions(connection, digests),
    }


def erase(connection: Connection, marks: Marks, who: str, now: datetime) -> Erased:
    """Forget a person: blank every piece of theirs, and never mail them again.

    They go on do-not-mail by every mark of their own that is found: mailings under way drop them before checkout,
    and are blanked when they have ended.
    """
    # First of all, for it keeps gatherings from becoming mailings: whoever is in none of both is nowhere.
    gathered = waiting(connection, _own(marks))
    found = connection.execute(
        select(
            Recipient.mailing_id,
            Recipient.position,
            Recipient.digest,
            Mailing.state,
            *(_COLUMNS[mark].label(mark.value) for mark in _OWN),
        )
        .join(Mailing, Mailing.id == Recipient.mailing_id)
        .where(_are(marks))
        .order_by(Recipient.mailing_id, Recipient.position)
        .with_for_update(of=Recipient)
    ).all()
    entries: set[EntryDigest] = {(digest, mark) for mark, digest in _own(marks).items()}
    entries |= {(digest, mark) for row in found for mark in _OWN if (digest := getattr(row, mark.value))}
    entries |= {(digest, mark) for one in gathered for mark, digest in _own(one.marks).items()}
    open_list(connection, DO_NOT_MAIL)
    suppressed = add(connection, entries, Origin(source="erasure", who=who, now=now))
    ended = [RecipientKey(row.mailing_id, row.position) for row in found if row.state in ENDED]
    pending = [RecipientKey(row.mailing_id, row.position) for row in found if row.state not in ENDED]
    if pending:
        rows = [{"mailing_id": one.mailing_id, "position": one.position, "asked_at": now} for one in pending]
        connection.execute(insert(Erasure).on_conflict_do_nothing(), rows)
    proofs = blank_recipients(connection, ended)
    _blank_events(connection, {row.digest for row in found} | {one.whole for one in gathered})
    return Erased(
        blanked=len(ended),
        pending=len(pending),
        waiting=len(gathered),
        suppressed=suppressed,
        proofs=tuple(proofs),
    )


def _blank_events(connection: Connection, digests: set[bytes]) -> None:
    """Blank what events said of somebody that came to no mailing; one that gathers is left out of its order."""
    theirs = select(TriggerRun.event_id).where(
        TriggerRun.digest.in_(digests), TriggerRun.outcome != EventOutcome.ORDERED
    )
    connection.execute(update(Event).where(Event.id.in_(theirs), Event.body.is_not(None)).values(body=None))


def _own(marks: Marks) -> Marks:
    return {mark: digest for mark, digest in marks.items() if mark in _OWN}


def _are(marks: Marks) -> ColumnElement[bool]:
    own = _own(marks)
    if not own:
        raise LookupError("nobody is named")
    return or_(*(_COLUMNS[mark] == digest for mark, digest in own.items()))


def _piece(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row's columns carry no types
    return {
        "mailing": row.mailing_id,
        "mailing_state": row.mailing_state.value,
        "order": row.order_id,
        "submitted_at": row.created_at,
        "outcome": row.outcome.value,
        "reason": row.reason,
        "counted_on": row.counted_on and row.counted_on.isoformat(),
        **{name: value for name in _FIELDS if (value := getattr(row, name))},
    }


def _events(connection: Connection, pieces: list[RecipientKey], wholes: set[bytes]) -> list[dict[str, Any]]:
    """Return the events that led to these pieces, and those of the same person that led to none."""
    wanted = {(one.mailing_id, one.position) for one in pieces}
    found = connection.execute(
        select(
            TriggerRun.mailing_id,
            TriggerRun.position,
            Event.source,
            Event.event_id,
            Event.received_at,
            Event.body,
        )
        .join(Event, Event.id == TriggerRun.event_id)
        .where(
            TriggerRun.mailing_id.in_({one.mailing_id for one in pieces})
            | (TriggerRun.mailing_id.is_(None) & TriggerRun.digest.in_(wholes))
        )
        .order_by(Event.id)
    )
    return [
        {"source": row.source, "id": row.event_id, "received_at": row.received_at, "body": row.body}
        for row in found
        if row.mailing_id is None or (row.mailing_id, row.position) in wanted
    ]


def _suppressions(connection: Connection, digests: set[bytes]) -> list[dict[str, Any]]:
    found = connection.execute(
        select(Suppression.list, Suppression.mark, Suppression.source, Suppression.added_at)
        .where(Suppression.digest.in_(digests))
        .order_by(Suppression.list, Suppression.mark)
    )
    return [
        {"list": row.list, "by": row.mark.value, "source": row.source, "added_at": row.added_at}
        for row in found
    ]
