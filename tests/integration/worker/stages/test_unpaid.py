"""Giving up a mailing after its checkout, or paying again: only if the vendor shows no payment and can show none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from console.actions import attention
from console.errors import CommandError
from console.session import Session
from models import Stage, State
from tests.integration.worker.stages.test_late_reads import LAGS, show_order

GIVES_UP = ["failed", "cancel", "pay again"]
NOBODY = "http://127.0.0.1:9/api"


@pytest.fixture
def decide(hands: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that resolves a mailing as the command does, at a vendor that may be away."""

    def decide_one(mailing_id: int, way: str, base_url: str | None = None) -> None:
        settings = hands.context.settings.model_copy(
            update={"base_url": base_url or hands.context.settings.base_url}
        )

        @contextmanager
        def session(**_: Any) -> Iterator[Session]:
            yield Session(settings, hands.context.engine)

        monkeypatch.setattr(attention, "open_session", session)
        monkeypatch.setattr("console.vendor_check.PATIENCE_SECONDS", 0.5)
        attention.resolve(mailing_id, [way], "looked there")

    return decide_one


@pytest.fixture
def asking(hands: Any, sandbox: Any) -> int:
    """Return a paid mailing that needs attention because its order was not to be seen, long after its checkout."""
    sandbox.set(settleSeconds=1)
    mailing_id: int = hands.to(Stage.SETTLE)
    order_id = hands.pen.mailing(mailing_id).order_id
    show_order(sandbox, order_id, "Deleted")
    assert hands.to_the_end(mailing_id).reason_code == "order_gone"
    show_order(sandbox, order_id, None)
    long_ago(hands, mailing_id)
    return mailing_id


def long_ago(hands: Any, mailing_id: int) -> None:
    hands.pen.forge(mailing_id, order_written_at=hands.clock.at - timedelta(days=2))


def assert_refused(hands: Any, mailing_id: int, refused: Any, words: str) -> None:
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert hands.pen.mailing(mailing_id).state is State.ATTENTION


@pytest.mark.parametrize("way", GIVES_UP)
def test_what_shows_a_payment_is_not_given_up(hands: Any, asking: int, decide: Any, way: str) -> None:
    with pytest.raises(CommandError) as refused:
        decide(asking, way)

    assert_refused(hands, asking, refused, "taken for order")


@pytest.mark.parametrize("way", GIVES_UP)
def test_what_settles_is_not_given_up(hands: Any, sandbox: Any, decide: Any, way: str) -> None:
    sandbox.set(settleSeconds=10_000_000)
    mailing_id = hands.to(Stage.SETTLE)
    hands.pen.forge(mailing_id, state=State.ATTENTION, reason="why", reason_code="order_gone", wake_at=None)
    long_ago(hands, mailing_id)

    with pytest.raises(CommandError) as refused:
        decide(mailing_id, way)

    assert_refused(hands, mailing_id, refused, "reads Payment Needed")


@pytest.mark.parametrize("lags", [["ordersLagSeconds"], ["statusLagSeconds", "transactionsLagSeconds"], LAGS])
def test_what_may_still_show_a_payment_is_not_given_up(
    hands: Any, sandbox: Any, decide: Any, lags: list[str]
) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    sandbox.set(settleSeconds=1, **dict.fromkeys(lags, 100_000))
    sandbox.fail("checkout", "cut_after", count=1)
    hands.step(mailing_id)
    hands.pen.forge(mailing_id, state=State.ATTENTION, reason="why", reason_code="order_gone", wake_at=None)

    with pytest.raises(CommandError):
        decide(mailing_id, "failed")

    assert hands.pen.mailing(mailing_id).state is State.ATTENTION


def test_an_order_that_is_not_listed_but_has_people_is_not_given_up(
    hands: Any, sandbox: Any, decide: Any
) -> None:
    mailing_id = hands.to(Stage.SETTLE)
    hands.pen.forge(mailing_id, state=State.ATTENTION, reason="why", reason_code="order_gone", wake_at=None)
    long_ago(hands, mailing_id)
    sandbox.set(ordersLagSeconds=100_000, transactionsLagSeconds=100_000)

    with pytest.raises(CommandError) as refused:
        decide(mailing_id, "failed")

    assert_refused(hands, mailing_id, refused, "still has people on it")


@pytest.mark.parametrize("way", GIVES_UP)
def test_without_the_vendors_answer_nothing_is_given_up(
    hands: Any, asking: int, decide: Any, way: str
) -> None:
    with pytest.raises(CommandError) as refused:
        decide(asking, way, NOBODY)

    assert_refused(hands, asking, refused, "could not say")


@pytest.mark.parametrize("way", GIVES_UP)
def test_what_surely_was_not_paid_is_given_up_or_paid_again(
    hands: Any, sandbox: Any, decide: Any, way: str
) -> None:
    sandbox.fail("checkout", "decline", count=1)
    hands.to_the_end(mailing_id := hands.to(Stage.CHECKOUT))
    long_ago(hands, mailing_id)

    decide(mailing_id, way)

    ends = {"failed": State.FAILED, "cancel": State.CANCELLED, "pay again": State.SENT}
    assert hands.to_the_end(mailing_id).state is ends[way]
