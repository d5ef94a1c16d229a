"""Work on one mailing: a claim, the vendor's client that keeps a journal under it, and the commits in between."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from lettrlabs import CallRecord, LettrLabs, Quote
from worker import transitions
from worker.audit import journal
from worker.context import WorkerContext
from worker.page_recipient import Page
from worker.prefetch import SharedLook
from worker.results import Details, Record, Result, nothing
from worker.settings import Settings
from worker.transitions import ClaimedMailing

# Long enough to go from reading an order back to its checkout, short enough to count as right before it.
MAX_SNAPSHOT_AGE: Final = timedelta(seconds=2)
# A pause and a cancellation hold within a second: what was read longer ago than this is read again before a write.
MAX_ROW_AGE: Final = timedelta(seconds=0.5)


class ClaimLost(Exception):  # noqa: N818 - it is what happened to the claim, not a fault
    """Somebody else has the mailing: stop, and dispatch nothing."""


@dataclass(slots=True)
class OrderSnapshot:
    """What this worker has seen of an order that it made itself, under the same claim and without a pause.

    Nobody else can have written to such an order, for no claim but this one ever knew of it: what was read back of
    it a moment ago need not be read again. What was seen of any other order is not kept.

    ``reserved_at`` is set by the commit that reserved the money while nobody on the order was suppressed.
    """

    created_by_this_claim: bool = False
    first_recipient: int | None = None
    reserved_at: datetime | None = None
    _recipients_at: datetime | None = None
    _price_at: datetime | None = None
    _quote: Quote | None = None

    def recipients(self, first: int, now: datetime) -> None:
        """Keep that the order was read back; ``first`` is the vendor's number of the first person on it."""
        if self.created_by_this_claim:
            self.first_recipient, self._recipients_at = first, now

    def price(self, now: datetime) -> None:
        """Keep that the order was quoted."""
        if self.created_by_this_claim:
            self._price_at = now

    def quote(self, told: Quote, now: datetime) -> None:
        """Keep a quote that was asked for before its stage."""
        if self.created_by_this_claim:
            self._quote, self._price_at = told, now

    def quote_of(self, now: datetime) -> Quote | None:
        """Return such a quote, if it is of the last moment."""
        fresh = self._price_at is not None and now - self._price_at <= MAX_SNAPSHOT_AGE
        return self._quote if fresh else None

    def is_reserved(self, now: datetime) -> bool:
        """Return whether the money was reserved within the last moment."""
        return self.reserved_at is not None and now - self.reserved_at <= MAX_SNAPSHOT_AGE

    def is_fresh(self, now: datetime) -> bool:
        """Return whether recipients and price were both seen within the last moment."""
        seen = (self._recipients_at, self._price_at)
        return all(at is not None and now - at <= MAX_SNAPSHOT_AGE for at in seen)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The next page of a mailing's recipients, as it was read together with those of others."""

    page: Page
    cursor: int
    at: datetime


class StageJob:
    """What a stage is given. ``held`` is the mailing as last committed; every commit is fenced by its claim."""

    def __init__(self, context: WorkerContext, claimed: ClaimedMailing) -> None:
        self.context = context
        self.mailing = claimed
        self.snapshot = OrderSnapshot()
        self.together = SharedLook()
        self.then: Callable[[], Result] | None = None
        self.foreseen: Foreseen | None = None
        self._row_read_at = context.clock()
        self._calls: list[CallRecord] = []
        self.vendor: LettrLabs = context.vendor.observed(self._calls.append)

    def see(self, together: SharedLook) -> None:
        """Take over what was seen of several orders in one call, this one's among them, and the evidence of it."""
        self.together = together
        self._calls += together.calls_for(self.mailing.order)

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.context.settings

    @property
    def engine(self) -> Engine:
        """For reading, and for short transactions of their own; never held open across a vendor call."""
        return self.context.engine

    def now(self) -> datetime:
        """Return the desk's time."""
        return self.context.clock()

    def checkpoint(self, values: Details, record: Record = nothing) -> None:
        """Commit a part of the stage and renew the lease; raises ClaimLost."""
        with self.engine.begin() as connection:
            now, lease = self.now(), self.context.lease
            after = transitions.checkpoint(connection, self.mailing, now, lease, values, record, self._calls)
        self.apply_committed(after)

    def ensure_lease(self) -> None:
        """Make sure that the claim outlives one more call, renewing it if need be; raises ClaimLost.

        Asked right before a write: a process that was stopped for a while must not write under a claim that
        somebody else has by now.
        """
        while self.now() + self.context.longest_call >= self.mailing.lease_until:
            self.checkpoint({})

    @property
    def is_stale(self) -> bool:
        """Whether the row was last read so long ago that a pause or a cancellation may have come meanwhile."""
        return self.now() - self._row_read_at > MAX_ROW_AGE

    @property
    def calls(self) -> Sequence[CallRecord]:
        """The calls that no commit has written down yet."""
        return self._calls

    @property
    def has_written(self) -> bool:
        """Whether a call that no commit has written down yet may have changed something at the vendor."""
        return any(journal.may_have_written(call, self.mailing.order_id) for call in self._calls)

    def save_calls(self) -> None:
        """Record what the vendor answered although the claim is lost."""
        if self._calls:
            with self.engine.begin() as connection:
                claimed = self.mailing
                journal.save_calls(connection, self._calls, claimed.id, claimed.stage, claimed.claim)
            self._calls.clear()

    def apply_committed(self, after: ClaimedMailing | None) -> None:
        """Take over what was committed, the journal with it; a lost claim leaves the calls to bear witness of."""
        if after is None:
            raise ClaimLost
        self._calls.clear()
        self.mailing = after
        self._row_read_at = self.now()
