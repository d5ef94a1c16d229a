"""Settling: waiting for the payment, and what was taken."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from models import Charge, Stage, State
from worker import transitions
from worker.transitions import Resolution

NOBODY = "http://127.0.0.1:9/api"


@pytest.fixture
def settling(hands: Any, sandbox: Any) -> int:
    """Return a mailing that was checked out and settles in an hour."""
    sandbox.set(settleSeconds=3600)
    mailing_id: int = hands.to(Stage.SETTLE)
    return mailing_id


def charges(hands: Any, mailing_id: int) -> list[Any]:
    columns = Charge.__table__.columns
    with hands.context.engine.connect() as connection:
        return list(connection.execute(select(*columns).where(columns.mailing_id == mailing_id)))


def test_a_payment_that_goes_through_ends_the_mailing_with_its_charges(hands: Any, settling: int) -> None:
    row = hands.to_the_end(settling)

    (charge,) = charges(hands, settling)
    assert (row.state, row.order_status, row.wake_at) == (State.SENT, "Paid", None)
    assert row.charged == row.quoted == charge.amount
    assert charge.vendor_id
    assert charge.made_at


def test_waiting_for_a_payment_is_not_failing_and_grows_to_five_minutes(hands: Any, settling: int) -> None:
    pauses = []
    while (row := hands.step(settling)).state is State.QUEUED:
        pauses.append((row.not_before - hands.clock.at).total_seconds())
        assert row.attempts == 0

    assert pauses == sorted(pauses)
    assert pauses[0] == hands.context.settings.poll_seconds
    assert max(pauses) == 300
    assert row.state is State.SENT


def test_a_payment_that_fails_is_for_a_person(hands: Any, sandbox: Any) -> None:
    sandbox.fail("checkout", "decline", count=1)

    row = hands.to_the_end(mailing_id := hands.to(Stage.CHECKOUT))

    assert (row.stage, row.state, row.reason_code) == (Stage.SETTLE, State.ATTENTION, "payment_failed")
    assert charges(hands, mailing_id) == []


def test_a_failed_payment_is_made_again_when_a_person_says_so(hands: Any, sandbox: Any) -> None:
    sandbox.fail("checkout", "decline", count=1)
    hands.to_the_end(mailing_id := hands.to(Stage.CHECKOUT))
    with hands.context.engine.begin() as connection:
        assert transitions.resolve(
            connection, mailing_id, Resolution.PAY_AGAIN, "Ada", "new card", hands.clock.at
        )

    row = hands.to_the_end(mailing_id)

    assert row.state is State.SENT
    assert len(sandbox.order()["charges"]) == len(charges(hands, mailing_id)) == 1


def test_an_order_charged_twice_is_on_record_as_it_is(hands: Any, sandbox: Any) -> None:
    sandbox.fail("checkout", "double_settle", count=1)

    row = hands.to_the_end(mailing_id := hands.to(Stage.CHECKOUT))

    assert len(charges(hands, mailing_id)) == 2
    assert row.charged == 2 * row.quoted == sum((c.amount for c in charges(hands, mailing_id)), Decimal(0))


def test_an_order_that_is_far_along_when_looked_at_counts_as_paid(hands: Any, settling: int) -> None:
    hands.forward(40 * 86400)

    row = hands.deliver(settling)

    assert (row.state, row.order_status) == (State.SENT, "Mailed")


@pytest.mark.parametrize("fault", ["cut_after", "error_before", "truncate", "too_many"])
@pytest.mark.parametrize("endpoint", ["list_orders", "transactions"])
def test_a_vendor_that_fails_to_tell_is_asked_again(
    hands: Any, sandbox: Any, settling: int, endpoint: str, fault: str
) -> None:
    hands.forward(3600)
    sandbox.fail(endpoint, fault, count=3)

    waits = hands.deliver(settling)

    assert (waits.stage, waits.state, waits.attempts) == (Stage.SETTLE, State.QUEUED, 0)
    assert hands.to_the_end(settling).charged is not None
    assert len(charges(hands, settling)) == 1


def test_a_worker_that_died_while_looking_is_replaced_by_looking_again(hands: Any, settling: int) -> None:
    hands.forward(3600)
    hands.abandon(settling)

    assert hands.deliver(settling).state is State.SENT
    assert len(charges(hands, settling)) == 1


def test_two_workers_that_look_at_once_record_the_charges_once(hands: Any, settling: int) -> None:
    hands.forward(3600)
    with hands.while_calling(settling, "transactions"):
        hands.until(hands.pen.mailing(settling).lease_until)
        assert hands.deliver(settling).state is State.SENT

    assert len(charges(hands, settling)) == 1
    assert hands.pen.moves(settling).count("send") == 1


def test_what_was_paid_is_followed_to_its_end_while_everything_is_paused(hands: Any, settling: int) -> None:
    with hands.context.engine.begin() as connection:
        transitions.pause(connection, None, hands.clock.at)

    assert hands.to_the_end(settling).state is State.SENT


def test_an_order_that_vanished_while_settling_is_for_a_person(
    hands: Any, sandbox: Any, settling: int
) -> None:
    sandbox.empty()

    row = hands.to_the_end(settling)

    assert (row.state, row.reason_code) == (State.ATTENTION, "order_gone")


def test_a_vendor_that_is_away_while_settling_is_waited_for(hands: Any, settling: int) -> None:
    with hands.speaking_to(NOBODY) as cut_off:
        for _ in range(10):
            row = cut_off.step(settling)

    assert (row.state, row.attempts) == (State.QUEUED, 0)
    assert hands.to_the_end(settling).state is State.SENT
