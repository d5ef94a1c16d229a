"""No vendor call is made while its thread holds a database connection, whatever the stage and whatever goes wrong."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from lettrlabs.transport import Transport
from models import Approval, Stage, State
from worker import transitions
from worker.periodic import orphan_sweep


class Watch:
    """Counts the connections that each thread holds, and notes it beside every vendor call."""

    def __init__(self) -> None:
        self._held = threading.local()
        self.calls: list[tuple[str, int]] = []

    def taken(self, *_: object) -> None:
        self._held.connections = self.now() + 1

    def given_back(self, *_: object) -> None:
        self._held.connections = self.now() - 1

    def now(self) -> int:
        return int(getattr(self._held, "connections", 0))


@pytest.fixture
def watch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    watch = Watch()
    real = Transport.exchange

    def exchange(self: Transport, method: str, target: str, *rest: Any) -> Any:
        watch.calls.append((method, watch.now()))
        return real(self, method, target, *rest)

    monkeypatch.setattr(Transport, "exchange", exchange)
    event.listen(engine, "checkout", watch.taken)
    event.listen(engine, "checkin", watch.given_back)
    yield watch
    event.remove(engine, "checkout", watch.taken)
    event.remove(engine, "checkin", watch.given_back)


def test_no_call_is_made_inside_a_transaction_when_all_goes_well(hands: Any, watch: Watch) -> None:
    mailing_id = hands.new_mailing(3, approval=Approval.REQUIRED)
    hands.to_the_end(mailing_id)
    with hands.context.engine.begin() as connection:
        assert watch.now() == 1
        transitions.approve(connection, mailing_id, "Ada", hands.clock.at)

    assert hands.to_the_end(mailing_id).state is State.SENT
    assert {method for method, _ in watch.calls} == {"GET", "POST", "PUT"}
    assert {claimed for _, claimed in watch.calls} == {0}


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_after", "too_many"])
@pytest.mark.parametrize("endpoint", ["create_order", "append_recipients", "checkout"])
def test_no_call_is_made_inside_a_transaction_when_something_is_found_out(
    hands: Any, sandbox: Any, watch: Watch, endpoint: str, fault: str
) -> None:
    sandbox.fail(endpoint, fault, count=1)

    assert hands.to_the_end(hands.new_mailing(2)).state is State.SENT
    assert {claimed for _, claimed in watch.calls} == {0}


def test_no_call_is_made_inside_a_transaction_when_something_is_deleted(hands: Any, watch: Watch) -> None:
    mailing_id = hands.to(Stage.SUMMARIZE)
    with hands.context.engine.begin() as connection:
        transitions.cancel(connection, mailing_id, "Ada", hands.clock.at)
    hands.to_the_end(mailing_id)
    hands.stranger_makes_a_draft()
    for _ in range(2):
        hands.forward(3600)
        orphan_sweep.run_once(hands.context, hands.clock.at)

    assert [method for method, _ in watch.calls].count("DELETE") == 2
    assert {claimed for _, claimed in watch.calls} == {0}
