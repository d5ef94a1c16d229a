"""Each manner of an awkward vendor alone: every mailing is sent once, to each person once."""

from typing import Any

import pytest

from models import Stage, State
from tests.proof.statemachine.manners import EACH
from tests.proof.statemachine.plans import Plan
from tests.proof.statemachine.rig import Rig
from tests.proof.statemachine.truth import Deeds, Truth


@pytest.mark.parametrize("manner", EACH, ids=str)
def test_each_mailing_is_sent_once_whatever_the_vendors_manner(rig: Rig, manner: dict[str, Any]) -> None:
    rig.begin([Plan(people=(True, True, True)), Plan()], page=2, settles=2)
    rig.operator.set(**manner)

    ends = [rig.end_of(mailing) for mailing in rig.mailings]

    Truth(rig, Deeds()).check()
    told = [(rig.row(one).reason_code, rig.row(one).reason) for one in rig.mailings]
    assert ends == [State.SENT, State.SENT], told
    assert sorted(rig.operator.ledger()["people"].values()) == [1, 1, 1, 1]


def test_a_list_without_its_member_holds_mailings_up_and_loses_nobody(rig: Rig) -> None:
    rig.begin([Plan(people=(True, True, True))], page=2, settles=2)
    (mailing,) = rig.mailings
    rig.operator.set(listMembers="missing")
    for _ in range(4):
        row = rig.row(mailing)
        rig.forward(max((row.wake_at - rig.now()).total_seconds(), 1.0))
        rig.deliver(mailing, Stage(row.stage))
    assert rig.row(mailing).state == State.QUEUED

    rig.operator.set(listMembers="present")

    assert rig.end_of(mailing) is State.SENT
    assert sorted(rig.operator.ledger()["people"].values()) == [1, 1, 1]
