"""Each manner of an awkward vendor alone: every mailing is sent once, to each person once."""

from typing import Any

import pytest

from models import Stage, State
from tests.proof.state_machine.manners import EACH
from tests.proof.state_machine.plans import Scenario
from tests.proof.state_machine.rig import Harness
from tests.proof.state_machine.truth import Actions, Invariants


@pytest.mark.parametrize("manner", EACH, ids=str)
def test_each_mailing_is_sent_once_whatever_the_vendors_manner(rig: Harness, manner: dict[str, Any]) -> None:
    rig.begin([Scenario(people=(True, True, True)), Scenario()], page=2, settles=2)
    rig.operator.set(**manner)

    ends = [rig.end_of(mailing) for mailing in rig.mailings]

    Invariants(rig, Actions()).check()
    told = [(rig.row(one).reason_code, rig.row(one).reason) for one in rig.mailings]
    assert ends == [State.SENT, State.SENT], told
    assert sorted(rig.operator.ledger()["people"].values()) == [1, 1, 1, 1]


def test_a_list_without_its_member_holds_mailings_up_and_loses_nobody(rig: Harness) -> None:
    rig.begin([Scenario(people=(True, True, True))], page=2, settles=2)
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
