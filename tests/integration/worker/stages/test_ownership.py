"""A wrong `LETTRLABS_EXCLUSIVE=true`, and a second copy of an installation, show in the vendor's orders."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lettrlabs import Accepted
from models import Installation, Mailing, Stage, State
from worker import transitions
from worker.installation import activation
from worker.orphans import account_ownership, registry
from worker.periodic import orphan_sweep
from worker.periodic.orphan_sweep import SweepRun


def look(hands: Any) -> orphan_sweep.SweepResult:
    return orphan_sweep.run_once(hands.context, hands.clock.at)


def stranger_pays(hands: Any, *people: Any) -> int:
    """Have another program of the account order and check out; return its order."""
    order: int = hands.stranger_makes_a_draft(*people)
    answer = hands.context.vendor.checkout(
        order, postage_type="Standard", production_speed="Normal", hold_until=None, auto_bill=True
    )
    assert isinstance(answer, Accepted)
    return order


def installation(hands: Any) -> Any:
    with hands.context.engine.connect() as connection:
        return connection.execute(select(*Installation.__table__.columns)).one()


def doubt(hands: Any) -> None:
    values = {"doubted_at": hands.clock.at, "epoch_at": hands.clock.at - timedelta(minutes=1)}
    with hands.context.engine.begin() as connection:
        connection.execute(update(Installation).values(**values))


def test_a_foreign_draft_with_people_ends_the_deleting(
    hands: Any, sandbox: Any, somebody: Any, caplog: pytest.LogCaptureFixture
) -> None:
    foreign, empty = hands.stranger_makes_a_draft(somebody), hands.stranger_makes_a_draft()
    look(hands)
    hands.forward(3600)

    assert look(hands).deleted == ()

    assert {one["id"] for one in sandbox.orders()} == {foreign, empty}
    assert str(foreign) in installation(hands).shared_why
    assert [one.levelname for one in caplog.records if "account_shared" in one.message] == ["ERROR"]


def test_a_foreign_paid_order_above_the_fence_ends_the_deleting(
    hands: Any, sandbox: Any, somebody: Any
) -> None:
    hands.to(Stage.ATTACH)
    paid, empty = stranger_pays(hands, somebody), hands.stranger_makes_a_draft()
    look(hands)
    hands.forward(3600)

    assert look(hands).deleted == ()

    assert empty in {one["id"] for one in sandbox.orders()}
    assert str(paid) in installation(hands).shared_why
    assert installation(hands).disarmed_at is None


def test_orders_from_before_this_installation_contradict_nothing(hands: Any, somebody: Any) -> None:
    stranger_pays(hands, somebody)
    hands.to(Stage.ATTACH)

    look(hands)

    assert installation(hands).shared_at is None


def test_our_own_orders_contradict_nothing(hands: Any) -> None:
    hands.to_the_end(hands.new_mailing(2))
    hands.to(Stage.SETTLE)
    hands.to(Stage.CHECKOUT)

    look(hands)

    assert installation(hands).shared_at is None


def test_a_lost_create_takes_over_no_draft_once_the_account_is_known_as_shared(
    hands: Any, sandbox: Any, somebody: Any
) -> None:
    sandbox.fail("create_order", "cut_before", count=1)
    mailing_id = hands.new_mailing()
    hands.deliver(mailing_id)
    foreign = [hands.stranger_makes_a_draft(somebody), hands.stranger_makes_a_draft()]

    hands.on_to(Stage.ATTACH, mailing_id)

    assert hands.pen.mailing(mailing_id).order_id not in foreign
    assert {one["id"] for one in sandbox.orders()} > set(foreign)
    assert sandbox.calls("delete_order") == 0


def test_more_drafts_than_lost_creates_are_left_alone_by_the_recovery(hands: Any, sandbox: Any) -> None:
    sandbox.fail("create_order", "cut_after", count=1)
    mailing_id = hands.new_mailing()
    hands.deliver(mailing_id)
    foreign = hands.stranger_makes_a_draft()

    hands.on_to(Stage.ATTACH, mailing_id)

    assert hands.pen.mailing(mailing_id).order_id != foreign
    assert sandbox.calls("delete_order") == 0
    assert hands.strays()[foreign] == "seen"


def test_a_draft_that_has_people_right_before_it_is_deleted_is_kept(
    hands: Any, sandbox: Any, somebody: Any
) -> None:
    draft = hands.stranger_makes_a_draft(somebody)
    place = SweepRun(hands.context.engine, hands.context.vendor, hands.clock.at)

    assert registry.delete_draft(place, draft, "left by a lost create")

    assert sandbox.order()["id"] == draft
    assert hands.strays() == {draft: "seen"}


def test_each_deletion_is_logged(hands: Any, caplog: pytest.LogCaptureFixture) -> None:
    draft = hands.stranger_makes_a_draft()
    look(hands)
    hands.forward(3600)
    look(hands)

    assert [one.levelname for one in caplog.records if f"order_deleted: draft {draft}" in one.message] == [
        "WARNING"
    ]


def test_arming_declares_the_account_exclusive_again(hands: Any, somebody: Any) -> None:
    hands.stranger_makes_a_draft(somebody)
    look(hands)
    assert installation(hands).shared_at is not None
    found = activation.compare_with_vendor(hands.context)

    with hands.context.engine.begin() as connection:
        account_ownership.declare_exclusive(connection, found.newest_order, hands.clock.at)
    look(hands)

    assert installation(hands).shared_at is None


def paid_before_the_restore(hands: Any) -> int:
    """Return a mailing whose people are on a paid order that the restored database does not know."""
    mailing_id: int = hands.new_mailing(2)
    sent = hands.to_the_end(hands.new_mailing(2))
    hands.forward(3600)
    hands.pen.forge(sent.id, order_id=10**9)
    return mailing_id


@pytest.mark.parametrize(
    "lag", ["ordersLagSeconds", "recipientsLagSeconds", "statusLagSeconds"], ids=["order", "people", "status"]
)
def test_arming_holds_back_a_mailing_although_its_earlier_order_shows_late(
    hands: Any, sandbox: Any, lag: str
) -> None:
    sandbox.set(**{lag: 20})
    mailing_id = hands.new_mailing(1)
    sent = hands.to(Stage.SETTLE, people=1)
    hands.pen.forge(sent, order_id=10**9)

    found = activation.compare_with_vendor(hands.context, pause=hands.forward)

    assert found.suspects.keys() == {mailing_id}


def test_arming_holds_back_a_mailing_whose_first_person_alone_is_on_an_order(hands: Any) -> None:
    mailing_id = hands.new_mailing(1)
    sent = hands.to_the_end(hands.new_mailing(1))
    hands.pen.forge(sent.id, order_id=10**9)

    assert activation.compare_with_vendor(hands.context, pause=hands.forward).suspects.keys() == {mailing_id}


def test_arming_looks_once_where_no_mailing_would_go_on(hands: Any) -> None:
    paid_before_the_restore(hands)

    found = activation.compare_with_vendor(hands.context, pause=pytest.fail)

    assert len(found.suspects) == 1


def test_arming_looks_at_each_order_again_before_a_mailing_goes_on(hands: Any, sandbox: Any) -> None:
    hands.new_mailing(2)
    pauses: list[float] = []

    found = activation.compare_with_vendor(hands.context, pause=pauses.append)

    assert found.suspects == {}
    assert pauses == [hands.context.settings.visibility_window_seconds]
    assert sandbox.calls("list_orders") == 2


@pytest.mark.parametrize("stage", [Stage.CREATE, Stage.ATTACH, Stage.CHECKOUT])
@pytest.mark.parametrize("state", [State.QUEUED, State.WORKING, State.APPROVAL])
def test_a_restored_mailing_whose_people_are_on_an_order_is_held_back_in_every_state(
    hands: Any, state: State, stage: Stage
) -> None:
    if state is State.APPROVAL and stage is not Stage.CHECKOUT:
        pytest.skip("a mailing waits for approval before its checkout only")
    mailing_id = paid_before_the_restore(hands)
    hands.on_to(stage, mailing_id)
    if state is State.WORKING:
        hands.abandon(mailing_id)
    elif state is State.APPROVAL:
        hands.pen.forge(mailing_id, state=state, wake_at=None)

    found = activation.compare_with_vendor(hands.context, pause=hands.forward)

    assert found.suspects.keys() == {mailing_id}
    with hands.context.engine.begin() as connection:
        assert transitions.flag_possibly_sent(
            connection, mailing_id, "arm", "may be sent", {}, hands.clock.at
        )
    row = hands.pen.mailing(mailing_id)
    assert (row.state, row.reason_code, row.claim) == (State.ATTENTION, "maybe_sent", None)
    assert row.recovering is (state is State.WORKING)


@pytest.mark.parametrize("state", [State.ATTENTION, State.CANCELLED, State.FAILED])
def test_a_mailing_that_ended_or_is_with_a_person_is_not_held_back_again(hands: Any, state: State) -> None:
    mailing_id = paid_before_the_restore(hands)
    hands.pen.forge(mailing_id, state=state, wake_at=None, reason="as it was", reason_code="earlier")

    assert activation.compare_with_vendor(hands.context, pause=pytest.fail).suspects == {}
    with hands.context.engine.begin() as connection:
        assert not transitions.flag_possibly_sent(
            connection, mailing_id, "arm", "may be sent", {}, hands.clock.at
        )


def test_nothing_is_claimed_while_it_is_in_doubt_whether_this_is_a_copy(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.new_mailing()
    doubt(hands)

    assert hands.deliver(mailing_id).state is State.QUEUED
    assert sandbox.calls("create_order") == 0

    account_ownership.settle_doubt(hands.context, hands.clock.at)
    assert hands.deliver(mailing_id).stage is Stage.ATTACH


def test_a_copy_whose_original_went_on_sending_does_not_send(
    hands: Any, somebody: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hands.to_the_end(hands.new_mailing(1))
    waiting = hands.new_mailing()
    doubt(hands)
    paid = stranger_pays(hands, somebody)

    account_ownership.settle_doubt(hands.context, hands.clock.at)

    assert str(paid) in installation(hands).disarmed_why
    assert hands.deliver(waiting).state is State.QUEUED
    assert any("disarmed" in one.message for one in caplog.records)


def test_on_a_shared_account_another_program_is_no_original(hands: Any, somebody: Any) -> None:
    shared = hands.with_settings(exclusive=False)
    hands.to_the_end(hands.new_mailing(1))
    doubt(hands)
    stranger_pays(hands, somebody)

    account_ownership.settle_doubt(shared.context, hands.clock.at)

    assert installation(hands).disarmed_at is None
    assert installation(hands).doubted_at is None


@pytest.mark.parametrize("exclusive", [True, False])
def test_an_order_with_a_waiting_mailings_people_shows_the_original(hands: Any, *, exclusive: bool) -> None:
    there = hands.with_settings(exclusive=exclusive)
    sent = hands.to_the_end(hands.new_mailing(2))
    twin = hands.new_mailing(2)
    doubt(hands)
    with hands.context.engine.begin() as connection:
        # The order becomes one that this database does not know.
        connection.execute(update(Mailing).where(Mailing.id == sent.id).values(order_id=10**9))
        # The sandbox's time and ours differ here.
        values = {"account_fence": sent.order_id - 1, "account_fence_at": None, "epoch_at": None}
        connection.execute(update(Installation).values(**values))

    account_ownership.settle_doubt(there.context, hands.clock.at)

    assert installation(hands).disarmed_at is not None
    if not exclusive:
        assert f"mailing {twin}" in installation(hands).disarmed_why


def test_a_vendor_that_is_away_leaves_the_doubt(hands: Any) -> None:
    doubt(hands)
    with (
        hands.speaking_to("http://127.0.0.1:9/api") as cut_off,
        pytest.raises(Exception, match="unavailable"),
    ):
        account_ownership.settle_doubt(cut_off.context, hands.clock.at)

    assert installation(hands).doubted_at is not None


def test_no_finding_is_made_while_nothing_is_wrong(hands: Any, caplog: pytest.LogCaptureFixture) -> None:
    hands.to_the_end(hands.new_mailing(1))
    doubt(hands)
    with caplog.at_level(logging.ERROR):
        account_ownership.settle_doubt(hands.context, hands.clock.at)
        look(hands)

    assert caplog.records == []
    assert installation(hands).doubted_at is installation(hands).shared_at is None
