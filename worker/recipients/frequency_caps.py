"""Frequency caps and households: who gets a piece, counted under one lock so that nobody is counted past.

A piece takes its place (``recipient.counted_on``) before its recipient is handed over, whatever campaign or trigger
it is of, and gives it back if it will not be mailed. All who take places take turns: what one decides on, nobody else
can change meanwhile. A turn is a few milliseconds for a page of people, far less than the call that follows it.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Connection, and_, func, not_, select, text, update

from models import CapPer, Mailing, Outcome, Recipient, State
from worker.recipients.policy import FrequencyCap

_CAP_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('mailrun: places', 0))")
_NEVER_MAILED: Final = (State.FAILED, State.CANCELLED)


class CappedRecipient(Protocol):
    """What a place is counted by."""

    @property
    def position(self) -> int:
        """Their place in the mailing."""

    @property
    def person_digest(self) -> bytes | None:
        """The name at the address."""

    @property
    def address_digest(self) -> bytes | None:
        """The address."""


class Exclusion(NamedTuple):
    """What becomes of somebody who gets no piece, and why."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRules:
    """What a mailing's pieces are held to, and the day on which they count as mailed."""

    mailing_id: int
    campaign_id: int | None
    cap: FrequencyCap | None
    one_per_household: bool
    day: date


def reserve_slots(
    connection: Connection, rules: CapRules, people: Sequence[CappedRecipient]
) -> dict[int, Exclusion]:
    """Give everybody a place on the rules' day who may have one; return the others by position.

    Within ``people`` the first come first. What they had before does not count against them. Waits for its turn,
    and has it until the transaction ends.
    """
    connection.execute(_CAP_LOCK)
    counted = _CapCounter(rules)
    counted.load(connection, people)
    spared = {one.position: why for one in people if (why := counted.objection(one)) is not None}
    _write_places(connection, rules, [one.position for one in people if one.position not in spared])
    return spared


@dataclass(slots=True)
class _CapCounter:
    """The places that are taken near the day by the people in question, and by those of their campaign."""

    rules: CapRules
    days: dict[bytes, list[date]] = field(default_factory=lambda: defaultdict(list))
    houses: set[bytes] = field(default_factory=set)

    def load(self, connection: Connection, people: Sequence[CappedRecipient]) -> None:
        rules, cap = self.rules, self.rules.cap
        if cap is not None:
            near = timedelta(days=cap.days)
            window = and_(
                Recipient.counted_on > rules.day - near,
                Recipient.counted_on < rules.day + near,
            )
            for digest, day in _taken(connection, rules, people, cap.per, window):
                insort(self.days[digest], day)
        if rules.one_per_household:
            same = (
                Mailing.id == rules.mailing_id
                if rules.campaign_id is None
                else Mailing.campaign_id == rules.campaign_id
            )
            self.houses.update(
                digest for digest, _ in _taken(connection, rules, people, CapPer.ADDRESS, same)
            )

    def objection(self, one: CappedRecipient) -> Exclusion | None:
        """Say why somebody gets no piece, or count theirs."""
        rules, cap = self.rules, self.rules.cap
        if rules.one_per_household and one.address_digest in self.houses:
            return Exclusion(Outcome.HOUSEHOLD, "somebody else at this address gets one, and one is enough")
        whose = None if cap is None else getattr(one, _digest_column(cap.per))
        if cap is not None and whose is not None:
            if _is_full(self.days[whose], rules.day, cap):
                return Exclusion(Outcome.CAPPED, f"the frequency cap is {cap.words}")
            insort(self.days[whose], rules.day)
        if one.address_digest is not None:
            self.houses.add(one.address_digest)
        return None


def _is_full(days: Sequence[date], day: date, cap: FrequencyCap) -> bool:
    """Tell whether some stretch of the cap's days that holds this day has all its pieces already."""
    length = timedelta(days=cap.days)
    starts = {day, *(one for one in days if day - length < one <= day)}
    return any(sum(start <= one < start + length for one in days) >= cap.pieces for start in starts)


def _taken(
    connection: Connection,
    rules: CapRules,
    people: Sequence[CappedRecipient],
    per: CapPer,
    only: ColumnElement[bool],
) -> list[tuple[bytes, date]]:
    column = _digest_column(per)
    digest = getattr(Recipient, column)
    own = and_(
        Recipient.mailing_id == rules.mailing_id, Recipient.position.in_([one.position for one in people])
    )
    wanted = list({getattr(one, column) for one in people} - {None})
    found = connection.execute(
        select(digest, Recipient.counted_on)
        .join(Mailing, Mailing.id == Recipient.mailing_id)
        .where(
            digest == func.any(wanted),
            Recipient.counted_on.is_not(None),
            Mailing.state.not_in(_NEVER_MAILED),
            not_(own),
            only,
        )
    )
    return [(row[0], row[1]) for row in found]


def _digest_column(per: CapPer) -> str:
    return f"{per}_digest"


def _write_places(connection: Connection, rules: CapRules, positions: Sequence[int]) -> None:
    connection.execute(
        update(Recipient)
        .where(Recipient.mailing_id == rules.mailing_id, Recipient.position == func.any(list(positions)))
        .values(counted_on=rules.day)
    )
