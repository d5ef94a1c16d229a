"""Accepted differences: an approver lets one quote, one order's charges, or one kind of difference pass."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from models import AcceptedDifference, Difference

# Each of these could hide an order of any cost or size, so an approver accepts it for one mailing at a time.
ONLY_ONCE: Final = frozenset(
    {
        Difference.COSTS_NOTHING,
        Difference.PIECES,
        Difference.OTHER_OPTIONS,
        Difference.CHARGED_MORE,
        Difference.UNKNOWN_CHARGE,
        Difference.CHARGED_PIECES,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What an approver accepts, and why. Without ``digest`` it is the kinds, for the account, from now on."""

    mailing_id: int
    kinds: Sequence[Difference]
    digest: bytes | None
    who: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A kind of difference that is accepted for the account."""

    id: int
    kind: Difference
    mailing_id: int | None
    who: str
    why: str
    at: datetime


def accept(connection: Connection, acceptance: Acceptance) -> None:
    """Store an acceptance, a row for each kind. A kind that is accepted for the account already stays as it is."""
    rows = [
        {
            "mailing_id": acceptance.mailing_id,
            "kind": kind,
            "digest": acceptance.digest,
            "who": acceptance.who,
            "why": acceptance.why,
            "at": acceptance.at,
        }
        for kind in dict.fromkeys(acceptance.kinds)
    ]
    if acceptance.digest is not None:
        connection.execute(insert(AcceptedDifference), rows)
    else:
        connection.execute(upsert(AcceptedDifference).values(rows).on_conflict_do_nothing())


def accepted(connection: Connection, mailing_id: int, digest: bytes) -> dict[Difference, int]:
    """Return which kinds of difference are accepted in what has this digest, with the numbers of the decisions."""
    column = AcceptedDifference
    rows = connection.execute(
        select(column.kind, column.id)
        .where(
            column.revoked_at.is_(None),
            or_(and_(column.mailing_id == mailing_id, column.digest == digest), column.digest.is_(None)),
        )
        .order_by(column.id)
    )
    return {Difference(row.kind): row.id for row in rows}


def notes(kinds: Iterable[Difference], decisions: dict[Difference, int]) -> list[dict[str, Any]]:
    """Return, as JSON knows it, by which decisions differences of these kinds passed."""
    return [{"kind": kind.value, "decision": decisions[kind]} for kind in dict.fromkeys(kinds)]


def standing(connection: Connection) -> list[Standing]:
    """Return the kinds that are accepted for the account, oldest first."""
    column = AcceptedDifference
    rows = connection.execute(
        select(column.id, column.kind, column.mailing_id, column.who, column.why, column.at)
        .where(column.digest.is_(None), column.revoked_at.is_(None))
        .order_by(column.id)
    )
    return [Standing(*row) for row in rows]


def revoke(connection: Connection, number: int, who: str, why: str, now: datetime) -> bool:
    """Take a decision back; False if there is none of this number that still holds for the account."""
    column = AcceptedDifference
    changed = connection.execute(
        update(column)
        .where(column.id == number, column.digest.is_(None), column.revoked_at.is_(None))
        .values(revoked_by=who, revoked_why=why, revoked_at=now)
    )
    return changed.rowcount == 1
