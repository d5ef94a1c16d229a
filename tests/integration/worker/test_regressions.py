"""What the state machine test found, each as a story of its own."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models import Approval, Stage, State
from tests.proof.state_machine.boundaries import Crash, CrashKind
from tests.proof.state_machine.plans import Scenario
from tests.proof.state_machine.rig import Harness, opened
from worker.context import open_context
from worker.periodic import orphan_sweep

_PAST_THE_LEASE = 91


@pytest.fixture(scope="module")
def rig(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with opened(postgres, tmp_path_factory.mktemp("sandbox")) as rig:
        yield rig


def test_a_worker_frozen_before_it_attaches_people_does_not_attach_them_to_what_another_filled(
    rig: Harness,
) -> None:
    rig.begin([Scenario((True, True))])
    (mailing,) = rig.mailings
    rig.deliver(mailing, Stage.CREATE, ahead=False)
    late = rig.deliver(mailing, Stage.ATTACH, strike=Crash(CrashKind.FREEZES, on="after commit"))
    rig.forward(_PAST_THE_LEASE)
    rig.deliver(mailing, Stage.ATTACH, ahead=False)
    # What the first worker may have written counts as absent only after the visibility window.
    rig.forward(rig.context.settings.visibility_window_seconds)
    rig.deliver(mailing, Stage.ATTACH, ahead=False)

    rig.let_go(late)

    (order,) = rig.operator.ledger()["orders"]
    assert len(order["recipients"]) == 2


def test_a_worker_frozen_anywhere_before_the_checkout_does_not_pay_a_price_that_is_asked_about_again(
    rig: Harness,
) -> None:
    # The first boundary comes before the claim: then nobody holds anything yet.
    boundary, skip = None, 1
    while boundary != "before POST order/#/checkout":
        rig.begin([Scenario(approval=Approval.REQUIRED)])
        (mailing,) = rig.mailings
        rig.deliver(mailing, Stage.CREATE)
        rig.approve(mailing)
        late = rig.deliver(mailing, Stage.CHECKOUT, strike=Crash(CrashKind.FREEZES, skip))
        boundary, skip = late.course.struck, skip + 1
        rig.forward(_PAST_THE_LEASE)
        rig.deliver(mailing, Stage.CHECKOUT)
        rig.operator.fail("summary", "requote", count=1)
        rig.forward(rig.context.settings.settlement_window_seconds)
        rig.deliver(mailing, Stage.CHECKOUT)
        assert rig.row(mailing).state == State.APPROVAL, boundary

        rig.let_go(late)

        (order,) = rig.operator.ledger()["orders"]
        assert order["status"] == "Draft", boundary


def test_a_worker_frozen_before_it_creates_an_order_creates_none_after_another_did(rig: Harness) -> None:
    rig.begin([Scenario()])
    (mailing,) = rig.mailings
    late = rig.deliver(mailing, Stage.CREATE, strike=Crash(CrashKind.FREEZES, on="after commit"))
    rig.forward(_PAST_THE_LEASE)
    rig.deliver(mailing, Stage.CREATE)
    rig.forward(rig.context.settings.visibility_window_seconds)
    rig.deliver(mailing, Stage.CREATE)

    rig.let_go(late)

    assert len(rig.operator.ledger()["orders"]) == 1


def test_an_order_that_was_deleted_as_a_stray_before_its_late_answer_is_made_anew(rig: Harness) -> None:
    rig.begin([Scenario()])
    (mailing,) = rig.mailings
    late = rig.deliver(mailing, Stage.CREATE, strike=Crash(CrashKind.FREEZES, on="after POST order"))
    for _ in range(2):
        rig.forward(3600)
        orphan_sweep.run_once(rig.context, rig.now())
    assert rig.operator.ledger()["totals"]["deleted"] == 1

    rig.let_go(late)

    assert rig.end_of(mailing) == State.SENT


def test_a_finder_frozen_past_its_gate_does_not_take_away_the_order_of_a_create_under_way(
    rig: Harness,
) -> None:
    rig.begin([Scenario(template=1001), Scenario(template=1002)])
    lost, other = rig.mailings
    rig.operator.fail("create_order", "cut_before", count=2)
    rig.deliver(lost, Stage.CREATE)
    rig.deliver(other, Stage.CREATE)
    rig.forward(rig.context.settings.retry_seconds)
    finder = rig.deliver(lost, Stage.CREATE, strike=Crash(CrashKind.FREEZES, on="before GET order"))
    rig.forward(_PAST_THE_LEASE)
    under_way = rig.deliver(other, Stage.CREATE, strike=Crash(CrashKind.FREEZES, on="after POST order"))

    rig.let_go(finder)
    rig.let_go(under_way)

    assert rig.end_of(lost) == rig.end_of(other) == State.SENT


def test_a_finder_frozen_past_its_gate_and_a_create_under_way_do_not_both_get_one_order(rig: Harness) -> None:
    rig.begin([Scenario(), Scenario()])
    lost, other = rig.mailings
    rig.operator.fail("create_order", "cut_before", count=1)
    rig.deliver(lost, Stage.CREATE)
    rig.forward(rig.context.settings.retry_seconds)
    finder = rig.deliver(lost, Stage.CREATE, strike=Crash(CrashKind.FREEZES, on="before GET order"))
    rig.forward(_PAST_THE_LEASE)
    under_way = rig.deliver(other, Stage.CREATE, strike=Crash(CrashKind.FREEZES, on="after POST order"))

    rig.let_go(finder)
    rig.let_go(under_way)

    assert under_way.trouble is None
    assert rig.end_of(lost) == rig.end_of(other) == State.SENT


def test_a_worker_frozen_in_a_transaction_loses_its_rows_before_its_lease_is_over(rig: Harness) -> None:
    context = open_context(rig.context.settings)

    with context.engine.connect() as connection:
        allowed = connection.scalar(
            text("SELECT current_setting('idle_in_transaction_session_timeout')::interval")
        )
    context.close()

    assert timedelta(0) < allowed < context.lease


def test_a_finder_frozen_past_its_gate_does_not_take_an_order_of_another_template(rig: Harness) -> None:
    rig.begin([Scenario(template=1001), Scenario(template=1002)])
    lost, other = rig.mailings
    rig.operator.fail("create_order", "cut_before", count=1)
    rig.deliver(lost, Stage.CREATE)
    rig.forward(rig.context.settings.retry_seconds)
    finder = rig.deliver(lost, Stage.CREATE, strike=Crash(CrashKind.FREEZES, on="before GET order"))
    rig.forward(_PAST_THE_LEASE)
    under_way = rig.deliver(other, Stage.CREATE, strike=Crash(CrashKind.FREEZES, on="after POST order"))

    rig.let_go(finder)
    rig.let_go(under_way)

    assert rig.end_of(lost) == rig.end_of(other) == State.SENT
    designs = {order["id"]: order["templateId"] for order in rig.operator.ledger()["orders"]}
    assert (designs[rig.row(lost).order_id], designs[rig.row(other).order_id]) == (1001, 1002)
