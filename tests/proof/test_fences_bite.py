"""Every fence bites: with it a promise holds, and in the same story without it the promise is broken.

A fence is taken out by cutting its words from the product's own source, so that one that was moved or reworded
is missed here at once.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Final

import pytest
from sqlalchemy import text

from models import Stage, State, Transition
from tests.proof.state_machine.boundaries import Crash, CrashKind
from tests.proof.state_machine.delivery import Delivery
from tests.proof.state_machine.plans import Scenario
from tests.proof.state_machine.rig import Harness
from tests.proof.state_machine.truth import Actions, Invariants
from worker import transitions
from worker.billing import quote_arithmetic
from worker.engine import runner
from worker.job import StageJob
from worker.orphans import registry
from worker.stages import checkout
from worker.transitions import CancelOutcome, claims, operator
from worker.transitions import guarded_update as fenced_move

_PAST_THE_LEASE: Final = 91
_CLAIM_FENCE: Final = "AND claim = given.held_claim"
_STAGE_FENCE: Final = "AND stage = :held_stage"
_STATE_FENCE: Final = "AND state = 'working'"
_CREATES: Final = "POST order"
_LISTS: Final = "GET order"
_APPENDS: Final = "PUT order/#/recipients:append"
_READS_PEOPLE: Final = "GET order/#/recipients"
_CHECKS_OUT: Final = "POST order/#/checkout"

both_ways = pytest.mark.parametrize("fenced", [True, False], ids=["with the fence", "without it"])
Cut = Callable[..., None]


def _frozen(boundary: str, skip: int = 0) -> Crash:
    return Crash(CrashKind.FREEZES, skip, on=boundary)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Cut:
    """Return a function that cuts words from a function of a module."""

    def cut_from(module: ModuleType, name: str, *fences: str) -> None:
        source = textwrap.dedent(inspect.getsource(getattr(module, name)))
        for fence in fences:
            source = _without(source, fence)
        made: dict[str, Callable[..., object]] = {}
        exec(source, vars(module), made)  # noqa: S102 - the product's own source, less a few words
        monkeypatch.setattr(module, name, made[name])

    return cut_from


@pytest.fixture
def cut_from_the_claim(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that cuts words from the claim's statement."""

    def cut_out(fence: str) -> None:
        statement = " ".join(claims.CLAIM.element.text.split())
        cut_text = text(_without(statement, " ".join(fence.split())))
        monkeypatch.setattr(claims, "CLAIM", cut_text.columns(*claims.COLUMNS))

    return cut_out


@pytest.fixture
def cut_from_the_move(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Yield a function that cuts words from the statement of every move of a claim's holder."""

    def cut_out(*fences: str) -> None:
        statement = fenced_move._MOVE
        for fence in fences:
            statement = _without(statement, fence)
        monkeypatch.setattr(fenced_move, "_MOVE", statement)
        fenced_move._statement.cache_clear()

    yield cut_out
    fenced_move._statement.cache_clear()


def _without(source: str, fence: str) -> str:
    assert source.count(fence) == 1, f"once in the source: {fence!r}"
    return source.replace(fence, "")


def _promises_hold(rig: Harness) -> bool:
    try:
        Invariants(rig, Actions()).check()
    except AssertionError:
        return False
    return True


def _look_in_vain(rig: Harness, mailing: int, stage: Stage) -> None:
    """Have a worker look for what an interrupted write did, and let the time pass after which its absence counts."""
    rig.deliver(mailing, stage)
    rig.forward(rig.context.settings.visibility_window_seconds)


@both_ways
def test_the_claim_in_each_move_keeps_two_workers_from_filling_one_order(
    rig: Harness, cut_from_the_move: Cut, fenced: bool
) -> None:
    if not fenced:
        cut_from_the_move(_CLAIM_FENCE)
    rig.begin([Scenario((True, True))], page=1)
    (mailing,) = rig.mailings
    rig.deliver(mailing, Stage.CREATE, ahead=False)
    late = rig.deliver(mailing, Stage.ATTACH, strike=_frozen(f"after {_APPENDS}"))
    rig.forward(_PAST_THE_LEASE)
    successor = rig.deliver(mailing, Stage.ATTACH, strike=_frozen(f"before {_APPENDS}"))

    rig.let_go(late, _frozen(f"before {_CHECKS_OUT}"))
    rig.let_go(successor)
    rig.let_go(late)

    assert _promises_hold(rig) is fenced


@both_ways
def test_the_stage_in_each_move_stops_a_late_create_even_where_the_claim_would_not(
    rig: Harness, cut_from_the_move: Cut, fenced: bool
) -> None:
    cut_from_the_move(_CLAIM_FENCE, *([] if fenced else [_STAGE_FENCE]))
    rig.begin([Scenario()], exclusive=False)
    (mailing,) = rig.mailings
    late = rig.deliver(mailing, Stage.CREATE, strike=_frozen(f"after {_CREATES}"))
    rig.forward(_PAST_THE_LEASE)
    _look_in_vain(rig, mailing, Stage.CREATE)
    successor = rig.deliver(mailing, Stage.CREATE, strike=_frozen(f"before {_CHECKS_OUT}"))

    rig.let_go(late)
    rig.let_go(successor)

    assert _promises_hold(rig) is fenced


@both_ways
def test_the_state_in_each_move_keeps_a_cancelled_mailing_cancelled_even_where_the_claim_would_not(
    rig: Harness, cut_from_the_move: Cut, fenced: bool
) -> None:
    cut_from_the_move(_CLAIM_FENCE, *([] if fenced else [_STATE_FENCE]))
    rig.begin([Scenario()], exclusive=False)
    (mailing,) = rig.mailings
    late = rig.deliver(mailing, Stage.CREATE, ahead=False, strike=_frozen(f"after {_CREATES}"))
    rig.forward(_PAST_THE_LEASE)
    _look_in_vain(rig, mailing, Stage.CREATE)
    rig.operator.fail("create_order", "too_many", count=1)
    rig.deliver(mailing, Stage.CREATE)
    with rig.transaction() as connection:
        assert transitions.cancel(connection, mailing, "a person", rig.now()) is CancelOutcome.CANCELLED

    rig.let_go(late)

    assert (rig.row(mailing).state == State.CANCELLED) is fenced


@both_ways
def test_the_lease_in_the_claim_keeps_a_doubled_message_off_a_mailing_being_worked_on(
    rig: Harness, cut_from_the_claim: Cut, fenced: bool
) -> None:
    if not fenced:
        cut_from_the_claim("AND lease_until <= :now")
    rig.begin([Scenario()])
    (mailing,) = rig.mailings
    rig.deliver(mailing, Stage.CREATE, ahead=False)
    first = rig.deliver(mailing, Stage.ATTACH, strike=_frozen(f"before {_APPENDS}"))
    _look_in_vain(rig, mailing, Stage.ATTACH)
    second = rig.deliver(mailing, Stage.ATTACH, strike=_frozen(f"before {_CHECKS_OUT}"))

    rig.let_go(first)
    if second.frozen:
        rig.let_go(second)

    assert _promises_hold(rig) is fenced


@both_ways
def test_the_due_time_in_the_claim_leaves_alone_a_vendor_that_asked_for_it(
    rig: Harness, cut_from_the_claim: Cut, fenced: bool
) -> None:
    if not fenced:
        cut_from_the_claim("AND not_before <= :now")
    rig.begin([Scenario()])
    (mailing,) = rig.mailings
    rig.operator.fail("create_order", "too_many", retryAfter=60)
    rig.deliver(mailing, Stage.CREATE)

    rig.deliver(mailing, Stage.CREATE)

    asked = rig.operator.ledger()["totals"]["calls"]["create_order"]["arrived"]
    assert (asked == 1) is fenced


@both_ways
def test_the_pause_in_the_claim_lets_no_create_begin_even_where_the_pipeline_would(
    rig: Harness, cut: Cut, cut_from_the_claim: Cut, fenced: bool
) -> None:
    pause = "if claimed.paused and claimed.stage is not Stage.SETTLE:\n        "
    cut(runner, "_run_stage", pause + 'return Wait(job.settings.push_again_seconds, "paused")')
    if not fenced:
        cut_from_the_claim(f"AND (stage = 'settle' OR NOT {claims.PAUSED})")
    rig.begin([Scenario()])
    (mailing,) = rig.mailings
    with rig.transaction() as connection:
        transitions.pause(connection, None, rig.now())

    rig.deliver(mailing, Stage.CREATE, ahead=False)

    assert (rig.operator.ledger()["totals"]["created"] == 0) is fenced


@both_ways
def test_the_create_gate_keeps_a_lost_create_from_taking_an_order_of_another_template(
    rig: Harness, cut_from_the_claim: Cut, fenced: bool
) -> None:
    if not fenced:
        cut_from_the_claim(
            """AND (stage <> 'create' OR recovering OR state = 'working'
            OR (SELECT closed_until <= :now FROM create_gate FOR SHARE))"""
        )
    rig.begin([Scenario(template=1001), Scenario(template=1002)])
    lost, other = rig.mailings
    rig.operator.fail("create_order", "cut_before", count=1)
    rig.deliver(lost, Stage.CREATE)
    rig.forward(rig.context.settings.retry_seconds)
    finder = rig.deliver(lost, Stage.CREATE, strike=_frozen(f"before {_LISTS}"))
    rig.deliver(other, Stage.CREATE, strike=_frozen(f"after {_CREATES}"))

    rig.let_go(finder)

    assert _promises_hold(rig) is fenced


@both_ways
def test_a_strays_own_row_keeps_an_order_that_is_being_deleted_from_being_adopted(
    rig: Harness, cut: Cut, fenced: bool
) -> None:
    if not fenced:
        cut(registry, "_fate", "where=OrphanOrder.fate.not_in([against, OrphanStatus.DELETED]),")
    rig.begin([Scenario()])
    (mailing,) = rig.mailings
    late = rig.deliver(mailing, Stage.CREATE, strike=_frozen(f"after {_CREATES}"))
    rig.forward(_PAST_THE_LEASE)
    finder = rig.deliver(mailing, Stage.CREATE, strike=_frozen(f"after {_READS_PEOPLE}"))

    rig.let_go(late)
    rig.let_go(finder)

    assert (rig.end_of(mailing) == State.SENT) is fenced


@both_ways
def test_an_order_that_a_mailing_uses_by_now_is_not_deleted_as_a_stray(
    rig: Harness, cut: Cut, fenced: bool
) -> None:
    if not fenced:
        cut(registry, "_fate", "if fate is OrphanStatus.CONDEMNED:\n        values = values.where(~used)")
    finder, under_way = _a_finder_frozen_past_its_gate_and_a_create_under_way(rig)
    rig.let_go(finder, _frozen(f"after {_READS_PEOPLE}"))
    rig.let_go(under_way)

    rig.let_go(finder)

    assert (rig.end_of(under_way.mailing_ids[0]) == State.SENT) is fenced


@both_ways
def test_an_order_that_was_deleted_as_a_stray_is_not_used_by_its_late_maker(
    rig: Harness, cut: Cut, fenced: bool
) -> None:
    if not fenced:
        cut(
            registry,
            "register_orders",
            "raise ClaimConflictError",
            "    if connection.scalars(decided).first() is not None:\n        ",
        )
    finder, under_way = _a_finder_frozen_past_its_gate_and_a_create_under_way(rig)
    rig.let_go(finder)

    rig.let_go(under_way)

    assert (rig.end_of(under_way.mailing_ids[0]) == State.SENT) is fenced


def _a_finder_frozen_past_its_gate_and_a_create_under_way(rig: Harness) -> tuple[Delivery, Delivery]:
    """Return a worker about to look for the drafts of lost creates, and one that just made a draft."""
    rig.begin([Scenario(template=1001), Scenario(template=1002)])
    lost, other = rig.mailings
    rig.operator.fail("create_order", "cut_before", count=2)
    rig.deliver(lost, Stage.CREATE)
    rig.deliver(other, Stage.CREATE)
    rig.forward(rig.context.settings.retry_seconds)
    rig.deliver(lost, Stage.CREATE)
    _look_in_vain(rig, other, Stage.CREATE)
    finder = rig.deliver(lost, Stage.CREATE, strike=_frozen(f"before {_LISTS}"))
    rig.forward(_PAST_THE_LEASE)
    return finder, rig.deliver(other, Stage.CREATE, ahead=False, strike=_frozen(f"after {_CREATES}"))


@both_ways
def test_a_claim_that_must_outlive_the_call_keeps_a_worker_that_was_frozen_from_writing(
    rig: Harness, monkeypatch: pytest.MonkeyPatch, fenced: bool
) -> None:
    if not fenced:
        monkeypatch.setattr(StageJob, "ensure_lease", lambda _: None)
        monkeypatch.setattr(StageJob, "is_stale", False)
    rig.begin([Scenario()])
    (mailing,) = rig.mailings
    rig.deliver(mailing, Stage.CREATE, ahead=False)
    late = rig.deliver(mailing, Stage.ATTACH, strike=_frozen("after commit"))
    rig.forward(_PAST_THE_LEASE)
    _look_in_vain(rig, mailing, Stage.ATTACH)
    successor = rig.deliver(mailing, Stage.ATTACH, strike=_frozen(f"before {_CHECKS_OUT}"))

    rig.let_go(late)
    rig.let_go(successor)

    assert _promises_hold(rig) is fenced


@both_ways
def test_the_last_look_at_the_recipients_keeps_people_who_came_late_from_being_mailed_twice(
    rig: Harness, cut: Cut, monkeypatch: pytest.MonkeyPatch, fenced: bool
) -> None:
    # The pieces of the quote would tell as well.
    monkeypatch.setattr(quote_arithmetic, "doubts", lambda *_: [])
    if not fenced:
        cut(checkout, "_objection", "or _recipients_differ(job)")
    rig.begin([Scenario()])
    (mailing,) = rig.mailings
    rig.deliver(mailing, Stage.CREATE, ahead=False)
    rig.deliver(mailing, Stage.ATTACH, strike=Crash(CrashKind.REQUEST_LINGERS))
    rig.forward(rig.context.settings.retry_seconds)
    _look_in_vain(rig, mailing, Stage.ATTACH)
    rig.deliver(mailing, Stage.ATTACH, ahead=False)
    rig.network.arrive(rig.network.lingering[0])

    rig.end_of(mailing)

    assert _promises_hold(rig) is fenced


@both_ways
def test_the_state_in_a_persons_move_keeps_what_is_sent_from_being_paid_again(
    rig: Harness, cut: Cut, fenced: bool
) -> None:
    if not fenced:
        cut(operator, "apply_operator_transition", "Mailing.state == state, ")
    rig.begin([Scenario()])
    (mailing,) = rig.mailings
    assert rig.end_of(mailing) == State.SENT

    with rig.transaction() as connection:
        again = {
            "stage": Stage.CHECKOUT,
            "state": State.QUEUED,
            "not_before": rig.now(),
            "wake_at": rig.now(),
        }
        asked = (Transition.RESOLVE, State.ATTENTION, Stage.SETTLE, "a person", rig.now(), again)
        done = operator.apply_operator_transition(connection, mailing, *asked)

    assert done is not fenced
