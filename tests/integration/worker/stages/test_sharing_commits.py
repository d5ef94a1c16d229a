"""Several messages of one worker whose results are in one commit: none of them suffers for another."""

import time
from collections.abc import Callable
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from models import Mailing, Stage, State
from tests.integration.worker.stages.test_abreast import commits, deliver, only_two_are_paid, rows
from worker import group_commit
from worker.engine.run_budget import RunBudget

_PATIENCE_SECONDS = 20.0
ONE_STAGE = RunBudget(seconds=0)


class Workers:
    """Threads of one worker that come to something while another thread commits, and share the next commit."""

    def __init__(self, hands: Any, messages: tuple[list[int], ...], stage: Stage) -> None:
        self._commits = hands.context.commits
        self.threads = [
            Thread(target=deliver, args=(hands, one, stage, ONE_STAGE), daemon=True) for one in messages
        ]

    def come_to_something(self) -> None:
        self._commits._leader = object()
        for thread in self.threads:
            thread.start()
        until = time.monotonic() + _PATIENCE_SECONDS
        while len(self._commits._waiting) < len(self.threads):
            assert time.monotonic() < until
            time.sleep(0.001)

    def commit(self) -> None:
        with self._commits._news:
            self._commits._leader = None
            self._commits._news.notify_all()

    @staticmethod
    def end(*threads: Thread) -> None:
        for thread in threads:
            thread.join(_PATIENCE_SECONDS)
            assert not thread.is_alive()


def share(hands: Any, *messages: list[int], stage: Stage = Stage.CREATE) -> None:
    """Have a worker do a stage of several messages and commit them together."""
    workers = Workers(hands, messages, stage)
    workers.come_to_something()
    workers.commit()
    workers.end(*workers.threads)


@pytest.fixture(autouse=True)
def _nobody_leads_before_all_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_TIMEOUT", _PATIENCE_SECONDS)


def test_what_they_come_to_at_the_same_time_is_one_commit(hands: Any, sandbox: Any, several: Any) -> None:
    messages = [several(2), several(3), several(1)]

    with commits(hands) as counted:
        share(hands, *messages)

    # A claim each, and one commit of all that they came to.
    assert len(counted) == len(messages) + 1
    found = [row for message in messages for row in rows(hands, message)]
    assert {(row.stage, row.state) for row in found} == {(Stage.ATTACH, State.QUEUED)}
    assert sorted(row.order_id for row in found) == sorted(one["id"] for one in sandbox.orders())


def test_what_the_database_refuses_of_one_keeps_no_other(
    hands: Any, several: Any, refuse: Callable[[int], None]
) -> None:
    one, other = several(2), several(2)
    share(hands, one, other)
    refuse(one[0])

    share(hands, one, other, stage=Stage.ATTACH)

    refused, *rest = rows(hands, [*one, *other])
    assert (refused.stage, refused.state) == (Stage.ATTACH, State.WORKING)
    assert {(row.stage, row.state) for row in rest} == {(Stage.PROOF, State.QUEUED)}


def test_whoever_locks_one_row_holds_up_its_message_alone(hands: Any, several: Any) -> None:
    one, other = several(2), several(2)
    workers = Workers(hands, (one, other), Stage.CREATE)
    workers.come_to_something()
    with hands.context.engine.begin() as somebody:
        somebody.execute(select(Mailing.id).where(Mailing.id == one[0]).with_for_update())

        workers.commit()

        workers.end(workers.threads[1])
        assert {row.stage for row in rows(hands, other)} == {Stage.ATTACH}
        assert workers.threads[0].is_alive()
    workers.end(*workers.threads)
    assert {(row.stage, row.state) for row in rows(hands, one)} == {(Stage.ATTACH, State.QUEUED)}


def test_a_claim_that_was_lost_meanwhile_keeps_no_other(hands: Any, sandbox: Any, several: Any) -> None:
    one, other = several(1), several(1)
    workers = Workers(hands, (one, other), Stage.CREATE)
    workers.come_to_something()
    hands.pen.forge(one[0], claim=uuid4())

    workers.commit()

    workers.end(*workers.threads)
    (lost,), (kept,) = rows(hands, one), rows(hands, other)
    assert (lost.stage, lost.state, lost.order_id) == (Stage.CREATE, State.WORKING, None)
    assert (kept.stage, kept.state) == (Stage.ATTACH, State.QUEUED)
    # The order of the lost one is deleted again.
    assert [order["id"] for order in sandbox.orders()] == [kept.order_id]


def test_one_that_does_not_fit_into_a_budget_keeps_no_other(
    hands: Any, sandbox: Any, two_of_three_fit: list[int]
) -> None:
    share(hands, *([one] for one in two_of_three_fit), stage=Stage.CHECKOUT)

    only_two_are_paid(hands, sandbox, two_of_three_fit)
