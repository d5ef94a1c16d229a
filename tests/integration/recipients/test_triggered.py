"""A trigger's own rules on the way to the vendor: its money, its time, its lists, its cap."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select, text

from intake import privacy
from intake.events import processor
from intake.events.batches import close_batch
from intake.events.cloudevents import event_from
from intake.events.inbox import receive
from intake.events.processor import ProcessingTime
from intake.events.receipts import Receipt, receipt
from intake.events.trigger_files import declared, load
from intake.recipients.digests import installation_key
from intake.recipients.identity import identify
from intake.recipients.validator import RecipientDraft
from models import ENDED, Event, EventBatch, Mailing, Stage, State
from worker import transitions
from worker.engine.pipeline import RunBudget, process

TRIGGER = {
    "name": "welcome",
    "on": "com.example.signup",
    "template": 1001,
    "recipient": {
        "full_name": "data.name",
        "address1": "data.street",
        "city": {"text": "Boston"},
        "state": {"text": "MA"},
        "zip_code": {"text": "02108"},
    },
}
RESTS = frozenset({State.APPROVAL, State.ATTENTION, *ENDED})


@dataclass
class Shop:
    """Where signups happen, with a desk at the sandbox that mails them."""

    post: Any
    happened: int = 0

    def declare(self, **rules: Any) -> None:
        with self.post.engine.begin() as connection:
            triggers = declared({"trigger": [{**TRIGGER, **rules}]}, "triggers.toml")
            load(connection, triggers, "tests", self.post.clock())

    def sign_up(self, name: str) -> int:
        """Have somebody sign up, and return the event's number."""
        self.happened += 1
        event = {
            "specversion": "1.0",
            "id": str(self.happened),
            "source": "shop",
            "type": "com.example.signup",
            "data": {"name": name, "street": "12 Oak St"},
        }
        (taken,) = receive(self.post.engine, [event_from(event)], clock=self.post.clock)
        self.tick()
        return taken.number

    def tick(self) -> None:
        processor.run_once(self.post.engine, ProcessingTime(self.post.clock(), "UTC", timedelta(seconds=60)))

    def job(self) -> None:
        """Do what is due now, and nothing that waits for its time."""
        while due := [one for one in self.mailings() if one.state not in RESTS and self._is_due(one)]:
            for row in due:
                process(self.post.context, [row.id], Stage(row.stage), RunBudget(seconds=60))

    def _is_due(self, row: Row[Any]) -> bool:
        soon = self.post.clock() + timedelta(minutes=10)
        if self.post.clock() < row.not_before < soon:
            self.post.forward(seconds=(row.not_before - self.post.clock()).total_seconds())
        return bool(row.not_before <= self.post.clock())

    def mailings(self) -> list[Row[Any]]:
        with self.post.engine.connect() as connection:
            return list(connection.execute(select(*Mailing.__table__.columns).order_by(Mailing.id)))

    def receipt(self, number: int) -> Receipt:
        with self.post.engine.connect() as connection:
            found = receipt(connection, number)
        assert found is not None
        return found


@pytest.fixture
def shop(post: Any) -> Shop:
    return Shop(post)


def test_a_triggers_budget_holds_back_what_goes_beyond_it(shop: Shop) -> None:
    shop.declare(budget={"per_day": 10})
    for name in ("Ann Lee", "Ben Kim", "Cal Roe"):
        shop.sign_up(name)

    shop.job()

    found = shop.mailings()
    assert sum(one.quoted for one in found) > 10 >= sum(one.charged or 0 for one in found) > 0
    assert [one.state for one in found] == [State.SENT, State.SENT, State.APPROVAL]
    assert found[2].reason_code == "over_budget"


def test_a_triggers_mailing_is_prepared_and_not_paid_before_its_delay_is_over(shop: Shop) -> None:
    shop.declare(delay="3 days")
    number = shop.sign_up("Ann Lee")

    shop.job()
    (prepared,) = shop.mailings()
    charges_before = shop.post.totals()["charges"]
    shop.post.forward(days=3)
    shop.job()

    assert (prepared.stage, prepared.quoted is not None, charges_before) == (Stage.CHECKOUT, True, 0)
    assert shop.receipt(number).outcome == "paid"


def test_a_triggers_mailing_is_free_to_cancel_while_it_waits(shop: Shop) -> None:
    shop.declare(delay="3 days")
    number = shop.sign_up("Ann Lee")
    shop.job()

    with shop.post.engine.begin() as connection:
        transitions.cancel(connection, shop.mailings()[0].id, "ann", shop.post.clock())
    shop.job()

    assert shop.receipt(number).outcome == "failed"
    assert (shop.post.totals()["liveDrafts"], shop.post.totals()["charges"]) == (0, 0)


def test_a_trigger_that_asks_waits_for_a_yes(shop: Shop) -> None:
    shop.declare(approval="required")
    number = shop.sign_up("Ann Lee")
    shop.job()
    (asked,) = shop.mailings()

    with shop.post.engine.begin() as connection:
        assert transitions.approve(connection, asked.id, "ann", shop.post.clock())
    shop.job()

    assert asked.state is State.APPROVAL
    assert shop.receipt(number).outcome == "paid"


def test_a_triggers_cap_and_lists_hold_for_its_events(shop: Shop) -> None:
    shop.post.suppress("winter", full_name="Ben Kim", address1="12 Oak St", zip_code="02108")
    shop.declare(cap="1/30", suppress=["winter"])

    numbers = [shop.sign_up(name) for name in ("Ann Lee", "ann lee", "Ben Kim")]
    shop.job()

    found = [shop.receipt(number) for number in numbers]
    assert [one.outcome for one in found] == ["paid", "capped", "suppressed"]
    assert [one.reason for one in found] == [
        None,
        "the frequency cap is 1 in 30 days for one person",
        "on the list winter, by person",
    ]


def marks(shop: Shop, **cells: str) -> Any:
    with shop.post.engine.connect() as connection:
        return identify(RecipientDraft(**cells), installation_key(connection)).marks


def test_somebody_who_is_erased_while_they_wait_in_a_gathering_is_blanked_and_not_mailed(shop: Shop) -> None:
    shop.declare(gather={"age": "1 day"})
    ann, ben, twin = (shop.sign_up(name) for name in ("Ann Lee", "Ben Kim", "ANN LEE"))
    person = marks(shop, full_name="LEE, ANN", address1="12 Oak Street", zip_code="02108")
    with shop.post.engine.connect() as connection:
        kept = privacy.export(connection, person)

    with shop.post.engine.begin() as connection:
        done = privacy.erase(connection, person, "test", shop.post.clock())
    shop.post.forward(days=1)
    shop.tick()
    shop.job()

    assert ["ann lee" in one["body"].lower() for one in kept["events"]] == [True, True]
    assert (done.waiting, done.blanked, done.pending) == (1, 0, 0)
    ended = [shop.receipt(number).outcome for number in (ann, ben, twin)]
    assert ended == ["suppressed", "paid", "duplicate"]
    assert shop.post.pieces() == {"ben": 1}
    with shop.post.engine.connect() as connection:
        bodies = connection.scalars(select(Event.body).order_by(Event.id)).all()
    assert [body is None for body in bodies] == [True, False, True]


def test_an_erasure_waits_for_a_gathering_that_is_being_closed_and_finds_its_mailing(shop: Shop) -> None:
    shop.declare(gather={"age": "1 day"})
    shop.sign_up("Ann Lee")
    person = marks(shop, full_name="Ann Lee", address1="12 Oak St", zip_code="02108")

    def erased() -> privacy.Erased:
        with shop.post.engine.begin() as connection:
            return privacy.erase(connection, person, "test", shop.post.clock())

    with ThreadPoolExecutor(1) as pool:
        with shop.post.engine.begin() as connection:
            close_batch(connection, connection.scalar(select(EventBatch.id)), shop.post.clock(), "UTC")
            asked = pool.submit(erased)
            wait_for_a_lock(shop)
        done = asked.result(30)

    assert (done.waiting, done.pending) == (0, 1)


def wait_for_a_lock(shop: Shop) -> None:
    waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    deadline = time.monotonic() + 30
    with shop.post.engine.connect() as connection:
        while not connection.scalar(waits):
            connection.rollback()
            assert time.monotonic() < deadline, "nobody waits"


def test_somebody_suppressed_while_a_triggers_mailing_waits_is_taken_off_it(shop: Shop) -> None:
    shop.declare(delay="3 days", gather={"count": 2, "age": "1 day"})
    numbers = [shop.sign_up(name) for name in ("Ann Lee", "Ben Kim")]
    shop.job()
    shop.post.suppress(full_name="Ben Kim", address1="12 Oak St", zip_code="02108")

    shop.post.forward(days=3)
    shop.job()

    assert [shop.receipt(number).outcome for number in numbers] == ["paid", "suppressed"]
    assert shop.post.pieces() == {"ann": 1}
