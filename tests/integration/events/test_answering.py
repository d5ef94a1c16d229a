"""What becomes of an event: one mailing for each trigger that answers, or a reason why not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from intake.errors import ConflictError
from intake.events import receipts
from intake.events.inbox import replay
from models import Event, EventOutcome, Mailing, PaidOrder, Recipient, State
from tests.integration.events.conftest import NOW
from worker import transitions

PRO = {"data.plan": {"is": "pro"}}


def mailings(shop: Any) -> int:
    with shop.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Mailing)) or 0


def test_an_event_becomes_one_mailing_to_the_person_it_names(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger(postage="FirstClass"))
    (number,) = shop.happen(an_event())

    shop.tick()

    (answer,) = shop.receipt(number).answers
    with shop.engine.connect() as connection:
        mailing = connection.execute(select(Mailing.template_id, Mailing.postage, Mailing.size)).one()
        person = connection.execute(select(Recipient.first_name, Recipient.merge)).one()
    assert (answer.trigger, answer.outcome, answer.position) == ("welcome", "ordered", 0)
    assert tuple(mailing) == (1001, "FirstClass", 1)
    assert tuple(person) == ("Ann0", {"custom1": "pro"})


def test_workers_that_tick_at_once_answer_each_event_once(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger())
    numbers = shop.happen(*(an_event(n) for n in range(30)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: shop.tick(), range(8)))

    assert set(shop.outcomes(*numbers)) == {"ordered"}
    assert mailings(shop) == 30


def test_two_triggers_that_answer_to_one_event_each_send_once(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger(), a_trigger(name="gift", template=1002, when=PRO))
    (number,) = shop.happen(an_event())

    shop.tick()

    assert [answer.trigger for answer in shop.receipt(number).answers] == ["gift", "welcome"]
    assert mailings(shop) == 2


def test_an_event_that_nobody_answers_to_says_why(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(when=PRO))
    strange, basic = shop.happen(an_event(1, type="com.example.other"), an_event(2, data={"plan": "basic"}))

    shop.tick()

    assert shop.outcomes(strange, basic) == ["unmatched", "unmatched"]
    assert shop.receipt(strange).reason == "no trigger is declared for this type of event"
    assert shop.receipt(basic).reason == "conditions are not met: welcome: data.plan"


def test_a_bad_address_is_told_by_its_place_and_never_by_its_content(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger())
    numbers = shop.happen(an_event(1, data={"zip": "94110"}), an_event(2, data={"street": {"line": "7 Elm"}}))

    shop.tick()

    assert shop.outcomes(*numbers) == ["invalid_address", "invalid_address"]
    reasons = [shop.receipt(number).reason for number in numbers]
    assert "data.zip" in reasons[0]
    assert "94110" not in reasons[0]
    assert reasons[1] == 'The value at "data.street" is an object or a list; text was expected.'
    assert mailings(shop) == 0


@pytest.mark.parametrize(
    ("happened", "delay", "expected"),
    [
        ("2026-11-20T15:00:00Z", "3 days", "2026-11-23T15:00:00+00:00"),
        ("2026-11-20T15:00:00Z", "1 day", "2026-11-23T06:00:00+00:00"),
        ("2026-11-19T15:00:00Z", "2 hours", None),
        ("2030-01-01T00:00:00Z", "3 days", "2026-11-23T16:00:00+00:00"),
    ],
)
def test_a_mailing_waits_its_delay_and_over_days_of_rest(
    shop: Any, an_event: Any, a_trigger: Any, happened: str, delay: str, expected: str | None
) -> None:
    shop.at = datetime(2026, 11, 20, 16, tzinfo=UTC)  # a Friday
    rest = {"quiet_days": ["Sat", "Sunday"], "zone": "America/Chicago"}
    shop.declare(a_trigger(delay=delay, **rest))
    shop.happen(an_event(time=happened))

    shop.tick()

    with shop.engine.connect() as connection:
        send_at = connection.scalar(select(Mailing.send_at))
    assert (send_at and send_at.astimezone(UTC).isoformat()) == expected


def test_an_event_keeps_the_version_that_answered_it(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger())
    (before,) = shop.happen(an_event(1))
    shop.tick()
    shop.declare(a_trigger(template=1002))
    (after,) = shop.happen(an_event(2))
    shop.tick()

    versions = [shop.receipt(number).answers[0].version for number in (before, after)]

    assert versions == [1, 2]


def test_an_unmatched_event_is_answered_once_its_trigger_is_there(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    (number,) = shop.happen(an_event())
    shop.tick()
    shop.declare(a_trigger())

    with shop.engine.begin() as connection:
        assert replay(connection, number, shop.at)
    shop.tick()

    assert shop.outcomes(number) == ["ordered"]


def test_an_event_that_was_mailed_is_never_mailed_again_by_a_replay(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger())
    (number,) = shop.happen(an_event())
    shop.tick()

    for _ in range(3):
        with shop.engine.begin() as connection:
            replay(connection, number, shop.at)
        shop.tick()

    assert mailings(shop) == 1
    assert shop.outcomes(number) == ["ordered"]


def test_an_event_whose_mailing_was_cancelled_is_mailed_anew_by_a_replay(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger())
    (number,) = shop.happen(an_event())
    shop.tick()
    with shop.engine.begin() as connection:
        transitions.cancel(connection, shop.receipt(number).answers[0].mailing, "ann", shop.at)
    assert shop.outcomes(number) == ["failed"]

    with shop.engine.begin() as connection:
        replay(connection, number, shop.at)
    shop.tick()

    assert mailings(shop) == 2
    assert shop.outcomes(number) == ["ordered"]


def test_an_event_whose_person_was_erased_mails_nobody(shop: Any, an_event: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger())
    (number,) = shop.happen(an_event())
    with shop.engine.begin() as connection:
        connection.execute(update(Event).values(body=None))

    shop.tick()

    assert shop.outcomes(number) == ["failed"]
    assert mailings(shop) == 0


def test_a_replay_of_an_event_that_was_mailed_and_forgotten_leaves_its_receipt_as_it_is(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger())
    (number,) = shop.happen(an_event())
    shop.tick()
    with shop.engine.begin() as connection:
        sent = {"state": State.SENT, "stage": "settle", "order_id": 7, "wake_at": None}
        connection.execute(update(Mailing).values(**sent))
        connection.execute(update(Event).values(body=None))

    with shop.engine.begin() as connection:
        replay(connection, number, shop.at)
    shop.tick()

    assert shop.outcomes(number) == ["paid"]


def test_a_replay_for_somebody_who_was_erased_fails_with_that_reason(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger())
    (number,) = shop.happen(an_event())
    shop.tick()
    with shop.engine.begin() as connection:
        transitions.cancel(connection, shop.receipt(number).answers[0].mailing, "ann", shop.at)
        connection.execute(update(Event).values(body=None))

    with shop.engine.begin() as connection:
        replay(connection, number, shop.at)
    shop.tick()

    found = shop.receipt(number)
    assert (found.outcome, mailings(shop)) == ("failed", 1)
    assert found.reason == "the person was erased before the event was answered"


@pytest.mark.parametrize(
    ("said", "approval", "over"),
    [
        ({}, "auto", None),
        ({"approval": "required"}, "required", None),
        ({"approval": {"over": 50.00}}, "over", 50),
    ],
)
def test_a_triggers_mailing_asks_for_approval_as_it_is_declared(
    shop: Any, an_event: Any, a_trigger: Any, said: Any, approval: str, over: int | None
) -> None:
    shop.declare(a_trigger(**said))
    shop.happen(an_event())

    shop.tick()

    with shop.engine.connect() as connection:
        assert tuple(connection.execute(select(Mailing.approval, Mailing.approval_over)).one()) == (
            approval,
            over,
        )


@pytest.mark.parametrize(
    ("recipient", "mailing", "expected"),
    [
        ({}, {"state": State.SENT, "stage": "settle", "order_id": 7, "wake_at": None}, "paid"),
        ({}, {"state": State.FAILED, "reason": "no such template", "wake_at": None}, "failed"),
        ({"outcome": "suppressed", "reason": "on do-not-mail"}, {}, "suppressed"),
        ({"outcome": "capped", "reason": "1 in 30 days"}, {}, "capped"),
        ({"outcome": "rejected", "reason": "Invalid address"}, {}, "invalid_address"),
        ({"outcome": "rejected", "reason": "Duplicate"}, {}, "duplicate"),
        ({"outcome": "rejected", "reason": "Do not mail"}, {}, "suppressed"),
    ],
)
def test_a_receipt_says_how_its_mailing_and_its_person_ended(
    shop: Any, an_event: Any, a_trigger: Any, recipient: Any, mailing: Any, expected: str
) -> None:
    shop.declare(a_trigger())
    (number,) = shop.happen(an_event())
    shop.tick()

    with shop.engine.begin() as connection:
        if recipient:
            connection.execute(update(Recipient).values(**recipient))
        if mailing:
            connection.execute(update(Mailing).values(**mailing))

    assert shop.outcomes(number) == [expected]
    assert shop.receipt(number).reason == (recipient or mailing).get("reason")


@pytest.mark.parametrize(
    ("shown", "expected", "reason"),
    [
        ({"status": "In Production"}, "paid", None),
        ({"status": "Mailed", "mailed_at": NOW}, "mailed", None),
        ({"status": "Cancelled"}, "failed", "LettrLabs shows its order as Cancelled"),
        ({"status": "Refunded", "mailed_at": NOW}, "mailed", None),
    ],
)
def test_a_receipt_says_mailed_only_once_the_vendor_shows_the_order_so(
    shop: Any, an_event: Any, a_trigger: Any, shown: Any, expected: str, reason: str | None
) -> None:
    shop.declare(a_trigger())
    (number,) = shop.happen(an_event())
    shop.tick()

    with shop.engine.begin() as connection:
        sent = {"state": State.SENT, "stage": "settle", "order_id": 7, "wake_at": None, "paid_at": NOW}
        mailing_id = connection.scalar(update(Mailing).values(**sent).returning(Mailing.id))
        connection.execute(insert(PaidOrder).values(mailing_id=mailing_id, **shown))

    assert shop.outcomes(number) == [expected]
    assert shop.receipt(number).reason == (reason if expected == "failed" else None)
    with shop.engine.connect() as connection:
        listed = receipts.list_receipts(connection, limit=5, outcome=EventOutcome(expected))
    assert [one.number for one in listed] == [number]


@pytest.mark.parametrize(
    ("stage", "mailed"), [("attach", 2), ("summarize", 2), ("checkout", 1), ("settle", 1)]
)
def test_an_event_whose_mailing_failed_is_mailed_anew_only_if_it_failed_before_its_checkout(
    shop: Any, an_event: Any, a_trigger: Any, stage: str, mailed: int
) -> None:
    shop.declare(a_trigger())
    (number,) = shop.happen(an_event())
    shop.tick()
    failed = {"state": State.FAILED, "stage": stage, "order_id": 7, "wake_at": None, "reason": "x"}
    with shop.engine.begin() as connection:
        connection.execute(update(Mailing).values(**failed))

    with shop.engine.begin() as connection:
        replay(connection, number, shop.at)
    shop.tick()

    assert mailings(shop) == mailed


def test_two_different_events_of_one_id_in_one_batch_are_refused_and_two_alike_are_one(
    shop: Any, an_event: Any, a_trigger: Any
) -> None:
    shop.declare(a_trigger())

    with pytest.raises(ConflictError, match=r"Event 2 of the batch: .* another event"):
        shop.happen(an_event(), an_event(data={"plan": "free"}))
    with shop.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Event)) == 0
    numbers = shop.happen(an_event(), an_event(), an_event(source="other shop", data={"plan": "free"}))
    shop.tick()

    assert (numbers[0] == numbers[1], len(set(numbers)), mailings(shop)) == (True, 2, 2)
