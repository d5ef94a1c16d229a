"""A paid order is watched until it is mailed and for a while after: what the vendor changes is seen and told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from lettrlabs import OrderAnalytics, Transaction
from models import Charge, Mailing, PaidOrder, Stage, State, Webhook, WebhookDelivery
from worker.billing.order_changes import Known, Shown, judge
from worker.billing.reconciliation import Entry, SettledOrder
from worker.periodic import paid_orders
from worker.transitions import Resolution

HOUR = 3600.0
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def paid(hands: Any) -> Any:
    """Return the row of a mailing whose payment has settled."""
    row = hands.to_the_end(hands.to(Stage.CHECKOUT))
    assert row.state is State.SENT
    return row


def look(hands: Any, hours: float = 13) -> int:
    hands.forward(hours * HOUR)
    return paid_orders.run_once(hands.context, hands.clock())


def watched(hands: Any, mailing_id: int) -> Any:
    with hands.context.engine.connect() as connection:
        return connection.execute(
            select(*PaidOrder.__table__.columns).where(PaidOrder.mailing_id == mailing_id)
        ).one()


def charges(hands: Any, mailing_id: int) -> list[tuple[Decimal, bool]]:
    with hands.context.engine.connect() as connection:
        rows = connection.execute(
            select(Charge.amount, Charge.is_credit).where(Charge.mailing_id == mailing_id).order_by(Charge.id)
        )
        return [(row.amount, row.is_credit) for row in rows]


def test_an_order_is_mailed_when_the_vendor_shows_it_so_and_not_when_it_is_paid(
    hands: Any, paid: Any
) -> None:
    with hands.context.engine.begin() as connection:
        connection.execute(delete(Webhook))
        connection.execute(insert(Webhook).values(url="http://127.0.0.1/", secrets=["whsec_x"], kinds=[]))
    look(hands)
    assert watched(hands, paid.id).mailed_at is None
    assert watched(hands, paid.id).pieces == 2

    hands.sandbox.change(paid.order_id, status="Mailed")
    look(hands)
    look(hands, 25)

    seen = watched(hands, paid.id)
    assert seen.mailed_at == hands.clock.at - timedelta(hours=25)
    assert (seen.status, hands.pen.mailing(paid.id).order_status) == ("Mailed", "Mailed")
    assert hands.pen.mailing(paid.id).state is State.SENT
    with hands.context.engine.begin() as connection:
        assert list(connection.scalars(select(WebhookDelivery.kind))) == ["mailing.mailed"]
        connection.execute(delete(Webhook))


@pytest.mark.parametrize("status", ["Edits Needed", "Cancelled", "Refunded", "Error", "Deleted"])
def test_a_person_is_asked_once_about_an_order_that_support_changed(
    hands: Any, people: Any, paid: Any, status: str
) -> None:
    hands.sandbox.change(paid.order_id, status=status)

    look(hands)

    row = hands.pen.mailing(paid.id)
    assert (row.state, row.reason_code, row.order_status) == (State.ATTENTION, "order_changed", status)
    assert f"as {status} after it was paid" in row.reason
    assert people.resolve(paid.id, Resolution.SENT)
    look(hands)
    look(hands)
    assert hands.pen.mailing(paid.id).state is State.SENT
    assert hands.pen.moves(paid.id).count("reopen") == 1


def test_money_taken_again_is_in_the_ledger_counts_in_budgets_and_is_for_a_person(
    hands: Any, people: Any, paid: Any
) -> None:
    hands.sandbox.change(paid.order_id, charge={"amount": "2.50", "description": "First class"})

    look(hands)

    row = hands.pen.mailing(paid.id)
    assert (row.state, row.reason_code) == (State.ATTENTION, "charge_changed")
    assert row.reason.startswith(f"LettrLabs took 2.50 more for order {paid.order_id}")
    assert row.charged == paid.charged + Decimal("2.50")
    assert sorted(charges(hands, paid.id)) == sorted([(paid.charged, False), (Decimal("2.50"), False)])
    assert people.reservations()[paid.id][1] == row.charged
    assert people.resolve(paid.id, Resolution.SENT)
    look(hands)
    assert hands.pen.mailing(paid.id).state is State.SENT


def test_money_given_back_is_in_the_ledger_and_told_with_the_status(
    hands: Any, people: Any, paid: Any
) -> None:
    credit = {"amount": str(paid.charged), "description": "Refund"}
    hands.sandbox.change(paid.order_id, status="Refunded", credit=credit)

    look(hands)

    row = hands.pen.mailing(paid.id)
    assert (row.reason_code, row.charged) == ("order_changed", 0)
    assert f"gave {paid.charged:.2f} back" in row.reason
    assert (paid.charged, True) in charges(hands, paid.id)
    # A budget counts the dearer of quote and charges: a refund makes no room.
    assert people.reservations()[paid.id][1] == paid.quoted


def test_what_happens_while_a_person_is_asked_is_told_after_that(hands: Any, people: Any, paid: Any) -> None:
    hands.sandbox.change(paid.order_id, status="Error")
    look(hands)
    hands.sandbox.change(paid.order_id, status="Cancelled", charge={"amount": "1.00"})
    look(hands)
    assert hands.pen.mailing(paid.id).order_status == "Error"

    assert people.resolve(paid.id, Resolution.SENT)
    look(hands)

    row = hands.pen.mailing(paid.id)
    assert (row.state, row.order_status) == (State.ATTENTION, "Cancelled")
    assert "took 1.00 more" in row.reason


def test_reads_that_lag_or_show_nothing_change_nothing(
    hands: Any, paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(hands)
    hands.sandbox.set(reportsLagSeconds=30 * HOUR, transactionsLagSeconds=30 * HOUR)
    for _ in range(2):
        look(hands)
    monkeypatch.setattr("lettrlabs.LettrLabs.analytics", lambda *_: ())
    monkeypatch.setattr("lettrlabs.LettrLabs.transactions", lambda *_: ())
    look(hands)

    row = hands.pen.mailing(paid.id)
    assert (row.state, row.order_status, row.charged) == (State.SENT, paid.order_status, paid.charged)
    assert len(charges(hands, paid.id)) == 1
    assert watched(hands, paid.id).pieces == 2


def test_watching_ends_a_while_after_the_mailing_and_slows_down_for_what_is_on_hold(
    hands: Any, paid: Any
) -> None:
    hands.sandbox.change(paid.order_id, status="In Production")
    look(hands, 24 * 61)
    assert watched(hands, paid.id).wake_at == hands.clock.at + timedelta(days=7)

    hands.sandbox.change(paid.order_id, status="Mailed")
    look(hands, 24 * 7)
    assert watched(hands, paid.id).wake_at == hands.clock.at + timedelta(days=1)
    look(hands, 24 * 46)

    assert watched(hands, paid.id).wake_at is None
    assert look(hands, 24 * 400) == 0


def test_a_hundred_orders_cost_two_calls_and_wait_for_what_is_due(hands: Any, paid: Any) -> None:
    with hands.context.engine.begin() as connection:
        columns = [one for one in Mailing.__table__.columns if one.name not in ("id", "key", "order_id")]
        values = {one.name: getattr(paid, one.name) for one in columns}
        copies = [{**values, "key": f"copy{n}", "order_id": 10**9 + n} for n in range(220)]
        made = connection.scalars(insert(Mailing).returning(Mailing.id), copies).all()
        connection.execute(
            insert(PaidOrder), [{"mailing_id": one, "wake_at": hands.clock.at} for one in made]
        )
    waiting = hands.new_mailing(1)

    looked = look(hands)
    hands.pen.forge(waiting, not_before=hands.clock.at, wake_at=hands.clock.at + timedelta(days=900))
    rest = look(hands, 0)

    assert (looked, rest) == (100, 121)
    settling = 1
    assert hands.sandbox.calls("analytics") == hands.sandbox.calls("transactions") - settling == 1 + 2


def test_an_order_that_cannot_be_read_keeps_no_other_from_being_looked_at(
    hands: Any, paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [hands.to_the_end(hands.to(Stage.CHECKOUT)).id for _ in range(2)]
    real = type(hands.context.vendor).analytics

    def refusing(self: Any, orders: Sequence[int]) -> Any:
        if paid.order_id in orders:
            hands.sandbox.heal()
            hands.sandbox.fail("analytics", "error_before", count=3)
        return real(self, orders)

    monkeypatch.setattr("lettrlabs.LettrLabs.analytics", refusing)
    for _ in range(8):
        look(hands, 2)

    assert all(watched(hands, one).looked_at is not None for one in others)
    assert watched(hands, paid.id).looked_at is None


def test_money_that_shows_only_after_a_person_called_it_paid_asks_nobody_again(
    hands: Any, people: Any
) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lettrlabs.LettrLabs.transactions", lambda *_: ())
        assert hands.to_the_end(mailing_id).reason_code == "charge_differs"
    assert people.resolve(mailing_id, Resolution.SENT)

    look(hands)

    row = hands.pen.mailing(mailing_id)
    assert (row.state, row.charged) == (State.SENT, row.quoted)
    assert len(charges(hands, mailing_id)) == 1


KNOWN = Known(
    told="Paid",
    status="In QA",
    status_since=NOW - timedelta(days=1),
    mailed_at=None,
    quoted=Decimal("11.78"),
    charged=Decimal("11.78"),
    entries=((Decimal("11.7800"), False),),
)


def shown(status: str | None, *amounts: str) -> Shown:
    """Return what is shown; an amount with a minus is a credit."""
    found = None if status is None else OrderAnalytics.model_validate({"orderId": 7, "orderStatus": status})
    moves = [Transaction.model_validate({"id": n, "amount": one}) for n, one in enumerate(amounts, 1)]
    return Shown(found, SettledOrder(1, [Entry(one, is_credit=str(one.amount)[0] == "-") for one in moves]))


@pytest.mark.parametrize("status", ["Paid", "In Production", None])
def test_a_status_that_the_order_has_left_behind_is_a_read_that_lags(status: str | None) -> None:
    assert judge(7, KNOWN, shown(status), NOW).status == "In QA"


@pytest.mark.parametrize("status", ["Draft", "Payment Needed"])
def test_a_status_from_before_the_payment_counts_only_once_it_has_lasted(status: str) -> None:
    first = judge(7, KNOWN, shown(status), NOW)
    before = replace(KNOWN, status=first.status, status_since=first.status_since)
    soon = judge(7, before, shown(status), NOW + timedelta(hours=5))
    late = judge(7, before, shown(status), NOW + timedelta(hours=7))

    assert (first.code, soon.code, late.code) == (None, None, "order_changed")
    assert (first.tells, late.tells) == (False, True)
    assert judge(7, replace(before, told=status), shown(status), NOW + timedelta(hours=20)).code is None


def test_an_unknown_status_is_written_down_and_alarms_nobody() -> None:
    verdict = judge(7, KNOWN, shown("On Hold"), NOW)

    assert (verdict.status, verdict.tells, verdict.code) == ("On Hold", True, None)


def test_decimals_beyond_the_cent_are_no_new_transaction() -> None:
    assert not judge(7, KNOWN, shown("In QA", "11.78001"), NOW).news
    assert judge(7, KNOWN, shown("In QA", "11.78001", "1.00"), NOW).code == "charge_changed"


def test_a_charge_and_its_credit_are_written_down_and_ask_nobody() -> None:
    verdict = judge(7, KNOWN, shown("In QA", "11.78", "1.00", "-1.00"), NOW)

    assert (verdict.news, verdict.code) == (True, None)


def test_a_credit_that_does_not_say_what_it_is_may_be_a_refund_and_is_for_a_person(
    hands: Any, people: Any, paid: Any
) -> None:
    hands.sandbox.set(creditNames="vague")
    hands.sandbox.change(paid.order_id, credit={"amount": "1.00", "description": "Goodwill"})

    look(hands)

    row = hands.pen.mailing(paid.id)
    assert (row.state, row.reason_code, row.charged) == (State.ATTENTION, "charge_changed", paid.charged)
    assert row.reason == f"LettrLabs credited 1.00 for order {paid.order_id} after it was paid"
    assert people.resolve(paid.id, Resolution.SENT)
    look(hands)
    assert hands.pen.mailing(paid.id).state is State.SENT


@pytest.mark.parametrize("ids", ["same", "perOrder"])
def test_transactions_that_share_ids_are_told_apart_after_the_payment_too(
    hands: Any, people: Any, ids: str
) -> None:
    hands.sandbox.set(transactionIds=ids)
    both = [hands.to_the_end(hands.to(Stage.CHECKOUT)) for _ in range(2)]
    for n, row in enumerate(both, start=1):
        hands.sandbox.change(row.order_id, charge={"amount": f"{n}.00"})

    look(hands)
    for row in both:
        assert people.resolve(row.id, Resolution.SENT)
    look(hands)

    for n, row in enumerate(both, start=1):
        after = hands.pen.mailing(row.id)
        assert (after.state, after.charged) == (State.SENT, row.charged + n)
        assert sorted(charges(hands, row.id)) == sorted([(row.charged, False), (Decimal(n), False)])
