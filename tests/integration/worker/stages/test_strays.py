"""The hourly look for drafts that no mailing explains, and who may delete them."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from lettrlabs import Unavailable
from models import Mailing, OrphanOrder, Stage, VendorCall
from worker.orphans import registry
from worker.periodic import orphan_sweep
from worker.periodic.orphan_sweep import SweepResult, SweepRun
from worker.results import ClaimConflictError

NOBODY = "http://127.0.0.1:9/api"


def look(hands: Any) -> SweepResult:
    return orphan_sweep.run_once(hands.context, hands.clock.at)


def test_a_draft_that_no_mailing_explains_is_noted_and_left_alone_at_first(hands: Any, sandbox: Any) -> None:
    stray = hands.stranger_makes_a_draft()

    assert look(hands) == SweepResult(found=(stray,), deleted=())

    assert hands.strays() == {stray: "seen"}
    assert len(sandbox.orders()) == 1


def test_a_stray_seen_in_two_looks_is_deleted_where_the_account_is_ours(hands: Any, sandbox: Any) -> None:
    stray = hands.stranger_makes_a_draft()
    look(hands)
    hands.forward(3600)

    assert look(hands) == SweepResult(found=(stray,), deleted=(stray,))

    assert hands.strays() == {stray: "deleted"}
    assert sandbox.orders() == []


def test_a_stray_is_only_listed_where_the_account_is_shared(hands: Any, sandbox: Any) -> None:
    shared = hands.with_settings(exclusive=False)
    stray = hands.stranger_makes_a_draft()
    for _ in range(3):
        assert look(shared) == SweepResult(found=(stray,), deleted=())
        hands.forward(3600)

    assert hands.strays() == {stray: "seen"}
    assert len(sandbox.orders()) == 1


def test_two_beats_that_look_at_once_are_one_look(hands: Any, sandbox: Any) -> None:
    hands.stranger_makes_a_draft()
    look(hands)
    hands.forward(60)

    assert look(hands).deleted == ()
    with hands.context.engine.connect() as connection:
        assert connection.scalar(select(OrphanOrder.sightings)) == 1
    assert len(sandbox.orders()) == 1


@pytest.mark.parametrize("stage", [Stage.ATTACH, Stage.CHECKOUT, Stage.SETTLE])
def test_the_order_of_a_mailing_is_no_stray(hands: Any, sandbox: Any, stage: Stage) -> None:
    hands.to(stage)

    assert look(hands) == SweepResult(found=(), deleted=())
    assert len(sandbox.orders()) == 1


def test_a_draft_with_people_on_it_is_somebodys_work_and_no_stray(
    hands: Any, sandbox: Any, somebody: Any
) -> None:
    hands.stranger_makes_a_draft(somebody)
    look(hands)
    hands.forward(3600)

    assert look(hands) == SweepResult(found=(), deleted=())
    assert len(sandbox.orders()) == 1


@pytest.mark.parametrize("how", ["used", "deleted"])
def test_a_stray_that_was_used_or_deleted_meanwhile_is_forgotten(hands: Any, somebody: Any, how: str) -> None:
    stray = hands.stranger_makes_a_draft()
    look(hands)
    if how == "used":
        hands.context.vendor.append_recipients(stray, [somebody])
    else:
        hands.context.vendor.delete_order(stray)
    hands.forward(3600)

    assert look(hands) == SweepResult(found=(), deleted=())
    assert hands.strays() == {}


def test_a_stray_that_one_look_does_not_show_is_found_again_and_deleted(hands: Any, sandbox: Any) -> None:
    stray = hands.stranger_makes_a_draft()
    look(hands)
    hands.forward(3600)
    sandbox._call("POST", f"orders/{stray}", {"status": "Paid"})
    look(hands)
    sandbox._call("POST", f"orders/{stray}", {"status": "Draft"})

    for _ in range(2):
        hands.forward(3600)
        look(hands)

    assert hands.strays() == {stray: "deleted"}
    assert sandbox.orders() == []


def test_a_draft_that_shows_long_after_its_deletion_is_deleted_once_more(hands: Any, sandbox: Any) -> None:
    stray = hands.stranger_makes_a_draft()
    with hands.context.engine.begin() as connection:
        registry.record_sighting(connection, stray, "seen", hands.clock.at)
        connection.execute(update(OrphanOrder).values(fate="deleted"))

    for _ in range(2):
        hands.forward(3600)
        look(hands)

    assert sandbox.orders() == []


def test_a_vendor_that_is_away_is_looked_at_another_time(hands: Any) -> None:
    hands.stranger_makes_a_draft()
    with hands.speaking_to(NOBODY) as cut_off, pytest.raises(Unavailable):
        look(cut_off)

    assert hands.strays() == {}
    with hands.context.engine.connect() as connection:
        assert set(connection.scalars(select(VendorCall.outcome))) == {"unavailable"}


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_before"])
def test_a_stray_whose_deletion_was_lost_is_deleted_by_the_next_look(
    hands: Any, sandbox: Any, fault: str
) -> None:
    hands.stranger_makes_a_draft()
    look(hands)
    hands.forward(3600)
    sandbox.fail("delete_order", fault, count=1)
    assert look(hands).deleted == ()
    hands.forward(60)

    look(hands)

    assert sandbox.orders() == []


def test_a_draft_that_was_to_be_deleted_by_its_recovery_is_deleted_even_in_a_shared_account(
    hands: Any, sandbox: Any
) -> None:
    shared = hands.with_settings(exclusive=False)
    left = hands.stranger_makes_a_draft()
    sandbox.fail("delete_order", "cut_before", count=1)
    assert not registry.delete_draft(a_round(shared), left, "answered after its claim was lost")

    assert look(shared).deleted == (left,)


def a_round(hands: Any) -> SweepRun:
    return SweepRun(hands.context.engine, hands.context.vendor, hands.clock.at)


def test_a_draft_that_was_taken_is_not_condemned(hands: Any, sandbox: Any) -> None:
    draft = hands.stranger_makes_a_draft()
    with hands.context.engine.begin() as connection:
        registry.adopt(connection, draft, hands.clock.at)

    assert registry.delete_draft(a_round(hands), draft, "left over")

    assert len(sandbox.orders()) == 1
    assert hands.strays() == {draft: "adopted"}


def test_the_order_of_a_mailing_is_not_condemned(hands: Any, sandbox: Any) -> None:
    order = hands.pen.mailing(hands.to(Stage.ATTACH)).order_id

    assert registry.delete_draft(a_round(hands), order, "left over")

    assert len(sandbox.orders()) == 1
    assert hands.strays() == {}


@pytest.mark.parametrize("gone", [True, False])
def test_a_draft_that_was_condemned_is_not_taken(hands: Any, sandbox: Any, *, gone: bool) -> None:
    draft = hands.stranger_makes_a_draft()
    if not gone:
        sandbox.fail("delete_order", "cut_before", count=1)
    registry.delete_draft(a_round(hands), draft, "left over")

    with pytest.raises(ClaimConflictError), hands.context.engine.begin() as connection:
        registry.adopt(connection, draft, hands.clock.at)

    assert hands.strays() == {draft: "deleted" if gone else "condemned"}


def test_a_create_under_way_is_not_taken_for_a_stray(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.new_mailing()
    with hands.while_calling(mailing_id, "create_order"):
        assert len(look(hands).found) == 1
    hands.forward(timedelta(hours=1).total_seconds())

    assert look(hands) == SweepResult(found=(), deleted=())
    assert sandbox.order()["id"] == hands.pen.mailing(mailing_id).order_id


def test_taking_an_order_races_marking_it_for_deletion_and_one_of_the_two_wins(hands: Any) -> None:
    draft = hands.stranger_makes_a_draft()
    marked = threading.Event()
    fate: list[bool] = []

    def mark() -> None:
        marked.set()
        fate.append(registry.delete_draft(a_round(hands), draft, "left over"))

    marker = threading.Thread(target=mark, daemon=True)
    with hands.context.engine.begin() as connection:
        registry.register_orders(connection, [draft])
        marker.start()
        assert marked.wait(5)
        wait_until_blocked(hands.context.engine)
        assert fate == []
        connection.execute(update(Mailing).where(Mailing.id == hands.new_mailing()).values(order_id=draft))
    marker.join(10)

    assert fate == [True]
    assert hands.strays() == {}
    assert hands.context.vendor.order(draft) is not None


def wait_until_blocked(engine: Any) -> None:
    """Return once a session waits for an advisory lock."""
    waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        with engine.connect() as connection:
            if connection.scalar(waits):
                return
    raise AssertionError("nothing waits for the order")


def test_an_order_marked_for_deletion_cannot_be_taken(hands: Any, sandbox: Any) -> None:
    draft = hands.stranger_makes_a_draft()
    sandbox.fail("delete_order", "cut_before", count=1)
    assert not registry.delete_draft(a_round(hands), draft, "left over")

    with pytest.raises(ClaimConflictError), hands.context.engine.begin() as connection:
        registry.register_orders(connection, [draft])
