"""What the state machine test found, each as a story of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models import Approval, Stage, State
from tests.proof.statemachine.boundaries import Fate, Strike
from tests.proof.statemachine.rig import Plan, Rig, opened

_PAST_THE_LEASE = 91


@pytest.fixture
def rig(database_url: str, programs: Any, tmp_path: Path) -> Iterator[Rig]:
    with opened(database_url, programs, tmp_path / "sandbox") as rig:
        yield rig


def test_a_worker_frozen_before_it_empties_an_order_does_not_empty_what_another_filled(rig: Rig) -> None:
    rig.begin([Plan((True, True))])
    (mailing,) = rig.mailings
    rig.deliver(mailing, Stage.CREATE, ahead=False)
    rig.deliver(mailing, Stage.ATTACH, strike=Strike(Fate.DIES, on="after PUT order/#/recipients:append"))
    rig.forward(_PAST_THE_LEASE)
    late = rig.deliver(mailing, Stage.ATTACH, strike=Strike(Fate.FREEZES, on="after GET order/#/recipients"))
    rig.forward(_PAST_THE_LEASE)
    rig.deliver(mailing, Stage.ATTACH, ahead=False)
    assert rig.row(mailing).stage == Stage.PROOF

    rig.let_go(late)

    (order,) = rig.operator.ledger()["orders"]
    assert len(order["recipients"]) == 2


def test_a_worker_frozen_before_it_attaches_people_does_not_attach_them_to_what_another_filled(
    rig: Rig,
) -> None:
    rig.begin([Plan((True, True))])
    (mailing,) = rig.mailings
    rig.deliver(mailing, Stage.CREATE, ahead=False)
    late = rig.deliver(mailing, Stage.ATTACH, strike=Strike(Fate.FREEZES, on="after commit"))
    rig.forward(_PAST_THE_LEASE)
    rig.deliver(mailing, Stage.ATTACH, ahead=False)

    rig.let_go(late)

    (order,) = rig.operator.ledger()["orders"]
    assert len(order["recipients"]) == 2


def test_a_worker_frozen_right_before_the_checkout_does_not_pay_a_price_that_is_asked_about_again(
    rig: Rig,
) -> None:
    rig.begin([Plan(approval=Approval.REQUIRED)])
    (mailing,) = rig.mailings
    rig.deliver(mailing, Stage.CREATE)
    rig.approve(mailing)
    late = rig.deliver(mailing, Stage.CHECKOUT, strike=Strike(Fate.FREEZES, on="after commit", skip=1))
    rig.forward(_PAST_THE_LEASE)
    rig.deliver(mailing, Stage.CHECKOUT)
    rig.operator.fail("summary", "requote", count=1)
    rig.forward(rig.desk.settings.settlement_window_seconds)
    rig.deliver(mailing, Stage.CHECKOUT)
    assert rig.row(mailing).state == State.APPROVAL

    rig.let_go(late)

    (order,) = rig.operator.ledger()["orders"]
    assert order["status"] == "Draft"


def test_a_worker_frozen_before_it_creates_an_order_creates_none_after_another_did(rig: Rig) -> None:
    rig.begin([Plan()])
    (mailing,) = rig.mailings
    late = rig.deliver(mailing, Stage.CREATE, strike=Strike(Fate.FREEZES, on="after commit"))
    rig.forward(_PAST_THE_LEASE)
    rig.deliver(mailing, Stage.CREATE)

    rig.let_go(late)

    assert len(rig.operator.ledger()["orders"]) == 1
