"""Creating the order, and finding out what a lost create did."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import CreateGate, Stage, State, VendorCall
from worker import transitions
from worker.periodic import orphan_sweep

NOBODY = "http://127.0.0.1:9/api"
LOST_AFTER = ["cut_after", "truncate", "error_after"]
LOST_BEFORE = ["cut_before", "error_before", "refuse"]


def test_an_order_is_created_and_its_call_is_on_record(hands: Any, new_mailing: Any, sandbox: Any) -> None:
    row = hands.deliver(mailing_id := new_mailing())

    assert (row.stage, row.state) == (Stage.ATTACH, State.QUEUED)
    assert sandbox.order()["id"] == row.order_id
    (call,) = hands.journal(mailing_id)
    assert (call.operation, call.outcome, call.order_id) == ("create_order", "accepted", row.order_id)


def test_a_template_that_lettrlabs_does_not_know_ends_the_mailing(hands: Any, new_mailing: Any) -> None:
    row = hands.deliver(new_mailing(template_id=7))

    assert (row.state, row.reason_code) == (State.FAILED, "create_refused")
    assert "template 7" in row.reason


def test_a_vendor_that_is_away_is_waited_for_without_counting_an_attempt(
    hands: Any, new_mailing: Any
) -> None:
    mailing_id = new_mailing()
    with hands.speaking_to(NOBODY) as cut_off:
        first = cut_off.step(mailing_id)
        second = cut_off.step(mailing_id)

    assert (first.state, first.attempts, first.recovering) == (State.QUEUED, 0, False)
    assert "could not be reached" in first.reason
    assert second.not_before - second.updated_at == 2 * (first.not_before - first.updated_at)
    assert hands.step(mailing_id).stage is Stage.ATTACH


def test_a_busy_vendor_is_left_alone_for_as_long_as_it_asks(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    sandbox.fail("create_order", "too_many", count=1, retryAfter=120)
    mailing_id = new_mailing()

    row = hands.step(mailing_id)

    assert row.not_before == hands.clock.at + timedelta(seconds=120)
    assert (row.attempts, row.recovering) == (0, False)
    assert hands.step(mailing_id).stage is Stage.ATTACH


@pytest.mark.parametrize("key", ["LL-API-wrong", "LL-API-noplan"])
def test_a_key_or_plan_that_is_refused_is_the_accounts_trouble_and_waits(
    hands: Any, new_mailing: Any, key: str
) -> None:
    mailing_id = new_mailing()
    with hands.speaking_to(key=key) as locked_out:
        row = locked_out.step(mailing_id)

    assert (row.state, row.attempts) == (State.QUEUED, 0)
    assert "key or the plan" in row.reason
    assert hands.step(mailing_id).stage is Stage.ATTACH


@pytest.mark.parametrize("fault", LOST_AFTER)
def test_the_draft_of_a_lost_create_is_found_and_taken(
    hands: Any, new_mailing: Any, sandbox: Any, fault: str
) -> None:
    sandbox.fail("create_order", fault, count=1)
    mailing_id = new_mailing()

    unsure = hands.step(mailing_id)
    found = hands.step(mailing_id)

    assert (unsure.state, unsure.recovering, unsure.order_id) == (State.QUEUED, True, None)
    assert (found.stage, found.recovering) == (Stage.ATTACH, False)
    assert sandbox.order()["id"] == found.order_id
    assert sandbox.calls("create_order") == 1


@pytest.mark.parametrize("fault", LOST_BEFORE)
def test_a_create_that_never_arrived_is_made_anew_once_nothing_is_found(
    hands: Any, new_mailing: Any, sandbox: Any, fault: str
) -> None:
    sandbox.fail("create_order", fault, count=1)

    mailing_id = hands.on_to(Stage.ATTACH, new_mailing())

    assert sandbox.order()["id"] == hands.pen.mailing(mailing_id).order_id


def test_a_worker_that_dies_after_the_create_leaves_a_draft_that_is_taken(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    mailing_id = new_mailing()
    left = hands.stranger_makes_a_draft()
    hands.abandon(mailing_id)
    hands.pen.forge(mailing_id, order_fence=0)

    row = hands.deliver(mailing_id)

    assert (row.stage, row.order_id) == (Stage.ATTACH, left)
    assert sandbox.calls("create_order") == 1
    assert hands.pen.moves(mailing_id) == ["steal", "advance"]


def test_drafts_of_several_lost_creates_of_one_template_are_taken_by_any_of_them(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    sandbox.fail("create_order", "cut_after", count=3)
    mailings = [new_mailing() for _ in range(3)]
    for mailing_id in mailings:
        hands.deliver(mailing_id)

    rows = [hands.pen.mailing(hands.on_to(Stage.ATTACH, one)) for one in mailings]

    assert {row.order_id for row in rows} == {order["id"] for order in sandbox.orders()}
    assert sandbox.calls("create_order") == 3
    assert set(hands.strays().values()) == {"adopted"}


def test_one_draft_for_two_lost_creates_is_taken_once_and_the_other_is_made_anew(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    sandbox.fail("create_order", "cut_after", count=1)
    sandbox.fail("create_order", "cut_before", count=1)
    mailings = [new_mailing() for _ in range(2)]
    for mailing_id in mailings:
        hands.deliver(mailing_id)

    rows = [hands.pen.mailing(hands.on_to(Stage.ATTACH, one)) for one in mailings]

    assert len({row.order_id for row in rows}) == 2
    assert {row.order_id for row in rows} == {order["id"] for order in sandbox.orders()}
    assert sandbox.ledger()["totals"]["created"] == 2


def test_drafts_of_lost_creates_of_two_templates_are_deleted_and_made_anew(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    sandbox.fail("create_order", "cut_after", count=2)
    mailings = [new_mailing(template_id=template) for template in (1001, 1002)]
    for mailing_id in mailings:
        hands.deliver(mailing_id)

    rows = [hands.pen.mailing(hands.on_to(Stage.ATTACH, one)) for one in mailings]

    made = {order["id"]: order["templateId"] for order in sandbox.orders()}
    assert made == {row.order_id: row.template_id for row in rows}
    assert sandbox.ledger()["totals"]["deleted"] == 2
    assert set(hands.strays().values()) == {"deleted"}


def test_a_stolen_create_of_another_template_makes_its_draft_unusable(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    other = new_mailing(template_id=1002)
    hands.abandon(other)
    hands.on_to(Stage.ATTACH, other)
    assert "steal" in hands.pen.moves(other)
    left = hands.stranger_makes_a_draft(template=1002)  # as a stopped worker's late create leaves it
    sandbox.fail("create_order", "cut_before", count=1)

    mailing_id = hands.on_to(Stage.ATTACH, new_mailing(template_id=1001))

    assert hands.pen.mailing(mailing_id).order_id != left
    assert left not in {one["id"] for one in sandbox.orders()}


def test_a_dead_workers_create_holds_up_no_other(hands: Any, new_mailing: Any, sandbox: Any) -> None:
    dead = new_mailing()
    hands.abandon(dead)
    sandbox.fail("create_order", "cut_after", count=1)
    lost = new_mailing()
    hands.deliver(lost)
    hands.until(hands.pen.mailing(lost).not_before)

    row = hands.deliver(lost)

    # The dead worker's lease has ended: its call has as well, and nothing of it is under way.
    assert (row.stage, row.reason) != (Stage.CREATE, "waits for creates under way to end")


def test_a_draft_from_before_the_lost_create_is_not_touched(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    older = hands.stranger_makes_a_draft()
    hands.to(Stage.ATTACH)
    sandbox.fail("create_order", "cut_before", count=1)

    mailing_id = hands.on_to(Stage.ATTACH, new_mailing())

    assert hands.pen.mailing(mailing_id).order_id != older
    assert older in {order["id"] for order in sandbox.orders()}


def test_a_draft_with_people_on_it_is_never_taken_nor_deleted(
    hands: Any, new_mailing: Any, sandbox: Any, somebody: Any
) -> None:
    theirs = hands.stranger_makes_a_draft(somebody)
    sandbox.fail("create_order", "cut_before", count=1)

    mailing_id = hands.on_to(Stage.ATTACH, new_mailing())

    assert hands.pen.mailing(mailing_id).order_id != theirs
    assert theirs in {order["id"] for order in sandbox.orders()}


def test_in_a_shared_account_nothing_is_touched_and_the_suspects_are_noted(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    shared = hands.with_settings(exclusive=False)
    theirs = shared.stranger_makes_a_draft()
    sandbox.fail("create_order", "cut_after", count=1)

    mailing_id = shared.on_to(Stage.ATTACH, new_mailing())

    ours = shared.pen.mailing(mailing_id).order_id
    orders = {order["id"] for order in sandbox.orders()}
    assert len(orders) == 3
    assert theirs in orders - {ours}
    assert shared.strays() == dict.fromkeys(orders - {ours}, "seen")


def gate_of(hands: Any) -> Any:
    with hands.context.engine.connect() as connection:
        return connection.execute(select(CreateGate.holder, CreateGate.closed_until)).one()


def lost_create_beside_one_under_way(hands: Any, sandbox: Any) -> tuple[int, int]:
    """Return a mailing whose create was lost, and one whose create is under way, with the gate closed."""
    sandbox.fail("create_order", "cut_after", count=1)
    lost, under_way = hands.new_mailing(), hands.new_mailing()
    hands.deliver(lost)
    hands.until(hands.pen.mailing(lost).not_before)
    with hands.context.engine.begin() as connection:
        assert transitions.claim(connection, under_way, Stage.CREATE, hands.clock.at, hands.context.lease)
    row = hands.deliver(lost)
    assert (row.recovering, row.reason) == (True, "waits for creates under way to end")
    return lost, under_way


def test_the_gate_holds_new_creates_back_while_a_lost_one_is_found_out(hands: Any, sandbox: Any) -> None:
    newcomer = hands.new_mailing()
    lost, _ = lost_create_beside_one_under_way(hands, sandbox)

    row = hands.deliver(newcomer)

    assert gate_of(hands).holder == lost
    assert (row.state, row.attempts) == (State.QUEUED, 0)
    assert sandbox.calls("create_order") == 1


def test_the_gate_opens_when_the_lost_create_is_settled_and_wakes_who_waited(
    hands: Any, sandbox: Any
) -> None:
    newcomer = hands.new_mailing()
    lost, under_way = lost_create_beside_one_under_way(hands, sandbox)
    hands.pen.forge(newcomer, wake_at=hands.clock.at + timedelta(seconds=50))
    hands.pen.forge(under_way, state=State.FAILED, claim=None, lease_until=None, wake_at=None, reason="ended")

    hands.until(hands.pen.mailing(lost).not_before)
    assert hands.deliver(lost).stage is Stage.ATTACH

    assert gate_of(hands).holder is None
    assert hands.pen.mailing(newcomer).wake_at == hands.clock.at
    assert hands.deliver(newcomer).stage is Stage.ATTACH


def test_the_gate_opens_by_itself_when_whoever_closed_it_died(hands: Any, sandbox: Any) -> None:
    newcomer = hands.new_mailing()
    lost_create_beside_one_under_way(hands, sandbox)

    hands.until(gate_of(hands).closed_until)

    assert hands.deliver(newcomer).stage is Stage.ATTACH


def test_two_lost_creates_are_found_out_one_after_the_other(hands: Any, sandbox: Any) -> None:
    lost, under_way = lost_create_beside_one_under_way(hands, sandbox)
    hands.pen.forge(under_way, recovering=True, unsure_since=hands.clock.at)
    hands.abandon(under_way)

    row = hands.deliver(under_way)

    assert (row.stage, row.reason) == (Stage.CREATE, "another lost create is being found out")
    assert gate_of(hands).holder == lost


def test_a_stray_whose_deletion_fails_holds_up_no_create_and_the_sweep_deletes_it(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    sandbox.fail("create_order", "cut_after", count=2)
    mailings = [new_mailing(template_id=template) for template in (1001, 1002)]
    for mailing_id in mailings:
        hands.deliver(mailing_id)
    sandbox.fail("delete_order", "error_before", count=1)

    rows = [hands.pen.mailing(hands.on_to(Stage.ATTACH, one)) for one in mailings]
    orphan_sweep.run_once(hands.context, hands.clock.at)

    assert {one["id"] for one in sandbox.orders()} == {row.order_id for row in rows}


def test_a_reply_that_comes_after_the_claim_was_lost_is_recorded_and_its_order_deleted(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    mailing_id = new_mailing()
    with hands.while_calling(mailing_id, "create_order", applied=False):
        hands.until(hands.pen.mailing(mailing_id).lease_until)
        row = hands.deliver(mailing_id)
        assert row.missing_since is not None
        row = hands.pen.mailing(hands.on_to(Stage.ATTACH, mailing_id))

    assert sandbox.order()["id"] == row.order_id == hands.pen.mailing(mailing_id).order_id
    assert sandbox.ledger()["totals"]["created"] == 2
    creates = [call for call in hands.journal(mailing_id) if call.operation == "create_order"]
    assert len({call.claim for call in creates}) == 2
    assert {call.order_id for call in creates} == {one["id"] for one in sandbox.ledger()["orders"]}


def test_a_late_reply_for_an_order_that_was_taken_meanwhile_deletes_nothing(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    mailing_id = new_mailing()
    with hands.while_calling(mailing_id, "create_order", applied=True):
        hands.until(hands.pen.mailing(mailing_id).lease_until)
        while not sandbox.orders():
            pass
        row = hands.deliver(mailing_id)

    assert row.stage is Stage.ATTACH
    assert sandbox.order()["id"] == row.order_id
    assert sandbox.calls("delete_order") == 0


def test_a_create_that_never_gets_through_ends_with_a_person(
    hands: Any, new_mailing: Any, sandbox: Any
) -> None:
    sandbox.fail("create_order", "error_before")

    row = hands.to_the_end(mailing_id := new_mailing())

    assert (row.state, row.reason_code) == (State.ATTENTION, "attempts")
    assert sandbox.calls("create_order") <= hands.context.settings.max_attempts
    assert sandbox.orders() == []
    with hands.context.engine.connect() as connection:
        claims = connection.scalars(select(VendorCall.claim).where(VendorCall.mailing_id == mailing_id))
        assert None not in set(claims)
