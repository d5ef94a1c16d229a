"""What the stages' tests stand on: one database and one sandbox for all of them, both emptied for each test.

The sandbox's time stands still, as ours does: `hands.forward` moves both.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, Row, create_engine, delete, insert, select, text

from lettrlabs import Accepted, LettrLabs, NewAddress, NewPersonal, NewRecipient, RateLimit, Timeouts
from models import ENDED, Budget, BudgetScope, Campaign, OrphanOrder, Stage, State, VendorCall
from tests.integration.worker.conftest import person
from tests.proof.state_machine.vendor import Operator
from worker.billing import budget_limits
from worker.context import WorkerContext
from worker.engine.pipeline import RunBudget, process
from worker.settings import SANDBOX_KEY, Settings

_EMPTY = """
    DELETE FROM mailing; DELETE FROM campaign; DELETE FROM proof; DELETE FROM stray; DELETE FROM vendor_call;
    UPDATE create_gate SET holder = NULL, closed_until = '-infinity';
    UPDATE installation SET paused_at = NULL, disarmed_at = NULL, disarmed_why = NULL, doubted_at = NULL,
                            shared_at = NULL, shared_why = NULL, account_fence = NULL, account_fence_at = NULL;
"""
_RESTS = frozenset({State.APPROVAL, State.ATTENTION, *ENDED})
# Longer than a call under way takes on a busy machine.
_PATIENCE_SECONDS = 20.0
# More than any mailing here takes; a test that takes more goes in circles.
_STEPS = 60


class Vendor(Operator):
    """The sandbox as its operator sees it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.api_url = f"{url}/api"
        self.key = SANDBOX_KEY

    def orders(self) -> list[dict[str, Any]]:
        """Return the orders that were not deleted, oldest first."""
        return [one for one in self.ledger()["orders"] if not one["deleted"]]

    def order(self) -> dict[str, Any]:
        """Return the only order there is."""
        (order,) = self.orders()
        return order

    def calls(self, endpoint: str) -> int:
        """Return how many calls of one kind arrived."""
        return int(self.ledger()["totals"]["calls"].get(endpoint, {"arrived": 0})["arrived"])


@pytest.fixture
def sandbox(standing_sandbox: str) -> Vendor:
    """Return a sandbox in which nothing has happened yet, and in which time stands still."""
    vendor = Vendor(standing_sandbox)
    vendor.empty()
    return vendor


@pytest.fixture
def engine(shared_engine: Engine) -> Engine:
    """Return an engine on a migrated database with nothing in it."""
    with shared_engine.begin() as connection:
        connection.execute(text(_EMPTY))
    return shared_engine


@pytest.fixture
def settings(engine: Engine, sandbox: Vendor) -> Settings:
    return Settings(
        database_url=engine.url.render_as_string(hide_password=False),
        base_url=sandbox.api_url,
        api_key=sandbox.key,
        settlement_window_seconds=60,
    )


@pytest.fixture
def context(
    engine: Engine, settings: Settings, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorkerContext]:
    # A read's second and third try would wait in real time.
    monkeypatch.setattr("lettrlabs.calls.sleep", lambda _: None)
    with LettrLabs(settings.base_url, settings.api_key, rate=_Unhurried(None)) as vendor:
        yield WorkerContext(engine, vendor, settings, clock)


class _Unhurried(RateLimit):
    """No rate, and no real time spent on being quiet after a 429."""

    def hush(self, seconds: float) -> None:
        pass


@dataclass
class StageDriver:
    """One worker, whose work is done a stage at a time and whose clock, and the vendor's, others move."""

    context: WorkerContext
    clock: Any
    sandbox: Vendor
    pen: Any
    new_mailing: Callable[..., int]

    def forward(self, seconds: float) -> None:
        """Let time pass here and at the vendor."""
        self.clock.forward(seconds)
        self.sandbox.advance(seconds)

    def until(self, instant: datetime | None) -> None:
        """Let time pass up to an instant, if it is to come."""
        if instant is not None and instant > self.clock.at:
            self.forward((instant - self.clock.at).total_seconds())

    def deliver(self, mailing_id: int, *, stage: Stage | None = None, ahead: bool = False) -> Row[Any]:
        """Hand over a message for the mailing's stage, now; return the row after it."""
        at = stage or Stage(self.pen.mailing(mailing_id).stage)
        process(self.context, [mailing_id], at, RunBudget(stopping=not ahead))
        return self.pen.mailing(mailing_id)

    def step(self, mailing_id: int) -> Row[Any]:
        """Do what comes next, when it is due."""
        return self._after(self.pen.mailing(mailing_id))

    def _after(self, row: Row[Any]) -> Row[Any]:
        self.until(row.lease_until if row.state is State.WORKING else row.not_before)
        return self.deliver(row.id, stage=Stage(row.stage))

    def to(self, stage: Stage, people: Any = 2, **values: Any) -> int:
        """Open a mailing and do what comes before a stage; return its id."""
        mailing_id: int = self.new_mailing(people, **values)
        return self.on_to(stage, mailing_id)

    def on_to(self, stage: Stage, mailing_id: int) -> int:
        row = self.pen.mailing(mailing_id)
        for _ in range(_STEPS):
            if row.stage is stage:
                return mailing_id
            row = self._after(row)
        raise AssertionError(f"never at {stage}: {self.pen.moves(mailing_id)}")

    def to_the_end(self, mailing_id: int) -> Row[Any]:
        """Do all that comes, each when it is due, until the mailing rests."""
        row = self.pen.mailing(mailing_id)
        for _ in range(_STEPS):
            if row.state in _RESTS:
                return row
            row = self._after(row)
        raise AssertionError(f"does not come to rest: {self.pen.moves(mailing_id)} {row}")

    def abandon(self, mailing_id: int) -> None:
        """Make it look as if its worker died: claimed, and the lease run out."""
        past = self.clock.at - timedelta(seconds=1)
        values = {"state": State.WORKING, "claim": uuid.uuid4(), "lease_until": past, "wake_at": past}
        self.pen.forge(mailing_id, **values)

    @contextmanager
    def while_calling(self, mailing_id: int, endpoint: str, **fault: Any) -> Iterator[None]:
        """Have a worker wait for a slow answer of one endpoint, meanwhile do as told, then let it finish."""
        self.sandbox.fail(endpoint, "slow", **{"seconds": 0.3, "count": 1, "applied": True, **fault})
        worker = Thread(target=self.deliver, args=(mailing_id,), daemon=True)
        worker.start()
        while not self.sandbox.faults()[-1]["fired"]:
            assert worker.is_alive(), f"it never called {endpoint}"
        yield
        worker.join(_PATIENCE_SECONDS)
        assert not worker.is_alive()

    def with_settings(self, **changes: Any) -> "StageDriver":
        """Return hands that work under other settings."""
        settings = self.context.settings.model_copy(update=changes)
        return replace(self, context=replace(self.context, settings=settings))

    @contextmanager
    def speaking_to(
        self, url: str | None = None, key: str = SANDBOX_KEY, **timeouts: float
    ) -> Iterator["StageDriver"]:
        """Yield hands that find the vendor elsewhere, with another key or with less patience."""
        with LettrLabs(
            url or self.sandbox.api_url, SecretStr(key), rate=_Unhurried(None), timeouts=Timeouts(**timeouts)
        ) as vendor:
            yield replace(self, context=replace(self.context, vendor=vendor))

    def stranger_makes_a_draft(self, *people: Any, template: int = 1001) -> int:
        """Have somebody else make an order in the account, and perhaps put people on it."""
        answer = self.context.vendor.create_order(template)
        assert isinstance(answer, Accepted)
        if people:
            assert isinstance(self.context.vendor.append_recipients(answer.value, people), Accepted)
        return answer.value

    def journal(self, mailing_id: int) -> Sequence[Row[Any]]:
        """Return the calls that were made for a mailing."""
        columns = VendorCall.__table__.columns
        statement = select(*columns).where(columns.mailing_id == mailing_id).order_by(columns.id)
        with self.context.engine.connect() as connection:
            return connection.execute(statement).all()

    def strays(self) -> dict[int, str]:
        """Return the fate of each stray."""
        with self.context.engine.connect() as connection:
            return {
                row.order_id: row.fate.value
                for row in connection.execute(select(OrphanOrder.order_id, OrphanOrder.fate))
            }


@pytest.fixture
def hands(context: WorkerContext, clock: Any, sandbox: Vendor, pen: Any, new_mailing: Any) -> StageDriver:
    return StageDriver(context, clock, sandbox, pen, new_mailing)


@pytest.fixture
def several(hands: Any) -> Callable[..., list[int]]:
    """Return a function that opens mailings to two people each."""
    return lambda count=4, **values: [hands.new_mailing(2, batch=n, **values) for n in range(count)]


@pytest.fixture
def campaign(engine: Engine) -> int:
    """Return a campaign with nothing in it."""
    values = {"key": "campaign", "request_digest": b"digest", "name": "Campaign"}
    counts = {"rows": 1, "people": 1, "rejected": 0, "mailings": 1}
    with engine.begin() as connection:
        return connection.execute(
            insert(Campaign).values(**values, **counts).returning(Campaign.id)
        ).scalar_one()


@pytest.fixture
def somebody() -> NewRecipient:
    """Return a person that no mailing of ours knows."""
    address = NewAddress(address1="9 Elm Street", city="Springfield", state="IL", zipCode="62701")
    return NewRecipient(address=address, personal=NewPersonal(firstName="Some", lastName="Body"))


@pytest.fixture
def a_person() -> Callable[..., dict[str, Any]]:
    """Return what makes the columns of a recipient, by position."""
    return person


_REFUSES = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'numeric_value_out_of_range'; END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON mailing FOR EACH ROW
    WHEN (OLD.id = {mailing} AND NEW.stage = 'proof') EXECUTE FUNCTION refuse()
"""


@pytest.fixture
def refuse(hands: Any, postgres: Any) -> Iterator[Callable[[int], None]]:
    """Yield a function that has the database refuse a mailing to go on to its proof."""
    # The application's own role makes no functions.
    owner = create_engine(postgres.owner_url(hands.context.engine.url.database))

    def refuse_one(mailing: int) -> None:
        with owner.begin() as connection:
            connection.exec_driver_sql(_REFUSES.format(mailing=mailing))

    yield refuse_one
    with owner.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER refuse ON mailing; DROP FUNCTION refuse()")
    owner.dispose()


@pytest.fixture
def two_of_three_fit(hands: Any, several: Callable[..., list[int]]) -> Iterator[list[int]]:
    """Yield three mailings right before their checkout, while the account's budget has room for two."""
    mailings = several(3)
    for stage in (Stage.CREATE, Stage.ATTACH, Stage.PROOF, Stage.SUMMARIZE):
        process(hands.context, mailings, stage, RunBudget(seconds=0))
    (price,) = {hands.pen.mailing(one).quoted for one in mailings}
    with hands.context.engine.begin() as connection:
        limit = {"total": 2 * price + Decimal("0.01")}
        budget_limits.set_limits(connection, BudgetScope.ACCOUNT, 0, limit, "a person", hands.clock.at)
    yield mailings
    with hands.context.engine.begin() as connection:
        connection.execute(delete(Budget))
