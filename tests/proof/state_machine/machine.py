"""The state machine: everything that can happen to a few mailings, in any sequence."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lettrlabs import VendorError
from models import Approval, Priority, Stage, State
from tests.proof.state_machine.boundaries import Crash, CrashKind, DelayedRequest
from tests.proof.state_machine.delivery import Delivery
from tests.proof.state_machine.manners import EACH, HIDES_STRAYS, Manner
from tests.proof.state_machine.plans import Scenario
from tests.proof.state_machine.rig import Harness
from tests.proof.state_machine.truth import Actions, Invariants
from worker import transitions
from worker.engine import dispatcher
from worker.engine.dispatcher import rest_of_chain
from worker.engine.pipeline import ChainAction
from worker.periodic import orphan_sweep
from worker.transitions import CancelOutcome, Resolution

_PLANS = st.builds(
    Scenario,
    people=st.lists(st.sampled_from([True, True, True, False]), min_size=1, max_size=3).map(tuple),
    template=st.sampled_from([1001, 1001, 1001, 1002]),
    approval=st.sampled_from([Approval.AUTO, Approval.AUTO, Approval.REQUIRED]),
    priority=st.sampled_from(Priority),
    in_campaign=st.booleans(),
)
# How many boundaries of its kind a whole delivery passes: within one stage, and from the first to the last.
_BOUNDARIES: Final = {
    CrashKind.DIES: (10, 47),
    CrashKind.FREEZES: (10, 47),
    CrashKind.LOSES_DATABASE: (3, 14),
    CrashKind.FINDS_NO_CONNECTION: (2, 9),
    CrashKind.REQUEST_LINGERS: (1, 4),
}
_STRIKES = st.one_of(
    *(
        st.builds(Crash, st.just(fate), st.integers(0, most))
        for fate in CrashKind
        for most in _BOUNDARIES[fate]
    )
)
_PERHAPS_A_STRIKE = st.none() | _STRIKES
_ANY = st.integers(0, 11)
_SECONDS = st.sampled_from([0.5, 2, 3, 10, 16, 31, 61, 91, 240, 901, 3601])
_READS = ("list_orders", "list_recipients", "proof", "summary", "transactions")
_WRITES = ("create_order", "append_recipients", "delete_recipients", "delete_order", "checkout")
_BREAKS = ("cut_before", "cut_after", "truncate", "error_before", "error_after", "too_many", "refuse")
_ODDITIES: Final = (
    {"endpoint": "checkout", "kind": "decline", "count": 1},
    {"endpoint": "checkout", "kind": "double_settle", "count": 1},
    {"endpoint": "checkout", "kind": "requote", "count": 1},
    {"endpoint": "summary", "kind": "requote", "count": 1},
    {"endpoint": "summary", "kind": "requote", "count": 2, "after": 1},
    {"endpoint": "append_recipients", "kind": "partial", "count": 1, "fraction": 0.5},
    {"endpoint": "append_recipients", "kind": "partial", "count": 1, "fraction": 0.5, "silent": True},
    {"endpoint": "append_recipients", "kind": "partial", "count": 8, "fraction": 0.0, "silent": True},
)
_FAULTS = st.sampled_from(_ODDITIES) | st.fixed_dictionaries(
    {
        "endpoint": st.sampled_from(_WRITES * 2 + _READS),
        "kind": st.sampled_from(_BREAKS),
        "count": st.integers(1, 4),
        "after": st.sampled_from([0, 0, 0, 1, 2]),
        "retryAfter": st.sampled_from([0, 1, 60]),
    }
)
_ACTS: Final = (
    *("approve", "retry", "cancel", "pause all", "pause campaign", "unpause", "pay again"),
    *("tick", "heal", "sweep"),
)
_ROUNDS: Final = 150
# Who waits for the create gate looks every second, for up to a lease.
_PATIENT_STEP: Final = 5.0
_SETTLEMENT_WINDOW: Final = 900


@dataclass(frozen=True)
class Message:
    """A chain of wake-ups in the broker, as far as it is not done yet."""

    mailing_ids: tuple[int, ...]
    stages: tuple[Stage, ...]


class MailingMachine(RuleBasedStateMachine):
    """A few mailings, a broker, workers, a vendor, people and time."""

    rig: ClassVar[Harness]

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []
        self.frozen: list[Delivery] = []
        self.deeds = Actions()
        self.begun = False

    @initialize(
        plans=st.lists(_PLANS, min_size=1, max_size=3),
        shared=st.sampled_from([False, False, False, True]),
        page=st.sampled_from([2, 1000]),
        settles=st.sampled_from([0, 30]),
        abreast=st.booleans(),
        manners=st.lists(st.sampled_from(EACH), max_size=2),
    )
    def begin(
        self,
        plans: list[Scenario],
        shared: bool,
        page: int,
        settles: int,
        abreast: bool,
        manners: list[Manner],
    ) -> None:
        self.rig.begin(plans, exclusive=not shared, page=page, settles=settles, abreast=abreast)
        for manner in manners:
            self.rig.operator.set(**manner)
        self.hides_strays = any(HIDES_STRAYS & manner.keys() for manner in manners)
        self.shared = shared
        self.begun = True

    # What beat and the workers do.

    @rule(ahead=st.booleans(), scan=st.booleans())
    def deliver_next(self, ahead: bool, scan: bool) -> None:
        if scan or not self.messages:
            self._tick()
        if self.messages:
            self._deliver(self.messages.pop(0), ahead=ahead)

    @precondition(lambda self: self.messages)
    @rule(which=_ANY, ahead=st.booleans(), once_more=st.booleans(), strike=_PERHAPS_A_STRIKE)
    def deliver_out_of_turn(self, which: int, ahead: bool, once_more: bool, strike: Crash | None) -> None:
        self._deliver(self._take(which, once_more=once_more), ahead=ahead, strike=strike)

    @rule(which=_ANY, stage=st.sampled_from(Stage), ahead=st.booleans())
    def deliver_any_stage(self, which: int, stage: Stage, ahead: bool) -> None:
        self._deliver(Message((self._mailing(which),), (stage,)), ahead=ahead)

    @precondition(lambda self: self._unfinished())
    @rule(which=_ANY, ahead=st.booleans(), strike=_PERHAPS_A_STRIKE)
    def deliver_all_to_the_stage_of_one(self, which: int, ahead: bool, strike: Crash | None) -> None:
        rows = self._unfinished()
        stage = Stage(rows[which % len(rows)].stage)
        together = tuple(row.id for row in rows if row.stage == stage)
        self._deliver(Message(together, rest_of_chain(stage)), ahead=ahead, strike=strike)

    @precondition(lambda self: self._unfinished())
    @rule(which=_ANY, ahead=st.booleans(), strike=_PERHAPS_A_STRIKE)
    def work_on_what_is_due(self, which: int, ahead: bool, strike: Crash | None) -> None:
        self._work_on_what_is_due(which, strike, ahead=ahead)

    @precondition(lambda self: self._unfinished())
    @rule(which=_ANY, ahead=st.booleans(), strike=_STRIKES)
    def strike_what_is_due(self, which: int, ahead: bool, strike: Crash) -> None:
        self._work_on_what_is_due(which, strike, ahead=ahead)

    @precondition(lambda self: self.frozen)
    @rule(which=_ANY, strike=_PERHAPS_A_STRIKE)
    def thaw(self, which: int, strike: Crash | None) -> None:
        self._thaw(self.frozen[which % len(self.frozen)], strike)

    # What happens to the broker, to time and to the vendor.

    @precondition(lambda self: self.messages)
    @rule(which=_ANY, everything=st.booleans())
    def lose_messages(self, which: int, everything: bool) -> None:
        if everything:
            self.messages.clear()
        else:
            self._take(which, once_more=False)

    @rule(seconds=_SECONDS)
    def let_time_pass(self, seconds: float) -> None:
        self.rig.forward(seconds)

    @rule(fault=_FAULTS)
    def the_vendor_misbehaves(self, fault: dict[str, Any]) -> None:
        self.deeds.doubled_charges |= fault["kind"] == "double_settle"
        self.deeds.repriced_at_checkout |= fault["kind"] == "requote" and fault["endpoint"] == "checkout"
        self.rig.operator.fail(**fault)

    @precondition(lambda self: self.rig.network.lingering)
    @rule(which=_ANY)
    def a_lingering_request_arrives(self, which: int) -> None:
        lingering = self.rig.network.lingering
        self._arrive(lingering[which % len(lingering)])

    @precondition(lambda self: self.shared)
    @rule(template=st.sampled_from([1001, 1002]))
    def somebody_else_makes_a_draft(self, template: int) -> None:
        answer = self.rig.context.vendor.create_order(template)
        if hasattr(answer, "value"):
            self.deeds.foreign.add(answer.value)

    # What people do.

    @rule(which=_ANY, act=st.sampled_from(_ACTS))
    def act(self, which: int, act: str) -> None:
        mailing_id = self._mailing(which)
        match act:
            case "cancel":
                self._cancel(mailing_id)
            case "approve":
                self._approve(mailing_id)
            case "unpause":
                self._unpause()
            case "pause campaign" | "pause all":
                self._pause(everything=act == "pause all")
            case "retry":
                self._resolve(mailing_id, Resolution.RETRY)
            case "tick":
                self._tick()
            case "sweep":
                self._sweep()
            case "heal":
                self.rig.operator.heal()
            case "pay again":
                self._resolve(mailing_id, Resolution.PAY_AGAIN)

    # What must be true.

    @invariant()
    def the_promises_hold(self) -> None:
        if self.begun:
            self._truth().check()

    def teardown(self) -> None:
        """Let everything that was broken heal, and see that all comes to rest and is as it should be."""
        try:
            if self.begun:
                self._end()
        finally:
            for delivery in self.frozen:
                delivery.let_go(Crash(CrashKind.DIES))

    def _end(self) -> None:
        self.rig.operator.heal()
        while self.frozen:
            self._thaw(self.frozen[0])
        while self.rig.network.lingering:
            self._arrive(self.rig.network.lingering[0])
        self._unpause()
        self._come_to_rest()
        for row in self.rig.rows():
            self._approve(row.id)
            self._resolve(row.id, Resolution.RETRY)
        self._come_to_rest()
        for _ in range(2):
            self.rig.forward(3600)
            self._sweep()
        self._truth().nothing_is_left(exclusive=not self.shared and not self.hides_strays)

    def _come_to_rest(self) -> None:
        for _ in range(_ROUNDS):
            self._tick()
            while self.messages:
                self._deliver(self.messages.pop(0), ahead=True)
            if not self._wait_until_due(at_least=_PATIENT_STEP):
                break
        else:
            raise AssertionError(
                f"does not come to rest: {[self.rig.moves_of(one) for one in self.rig.mailings]}"
            )
        self.the_promises_hold()
        self._truth().all_rest_for_a_true_reason()

    def _truth(self) -> Invariants:
        return Invariants(self.rig, self.deeds)

    def _tick(self) -> None:
        woken: list[Message] = []

        def push(_: Priority, stage: Stage, mailing_ids: Sequence[int]) -> None:
            # PostgreSQL wakes those of one scan in any sequence; a run must be repeatable.
            woken.append(Message(tuple(sorted(mailing_ids)), rest_of_chain(stage)))

        dispatcher.run_once(self.rig.context, self.rig.now(), lambda _: len(self.messages), push)
        self.messages += sorted(woken, key=lambda message: message.mailing_ids)

    def _mailing(self, which: int) -> int:
        return self.rig.mailings[which % len(self.rig.mailings)]

    def _take(self, which: int, *, once_more: bool) -> Message:
        index = which % len(self.messages)
        return self.messages[index] if once_more else self.messages.pop(index)

    def _deliver(self, message: Message, *, ahead: bool, strike: Crash | None = None) -> None:
        paused = self._paused()
        stage, *rest = message.stages
        delivery = self.rig.deliver_several(message.mailing_ids, stage, ahead=ahead, strike=strike)
        assert delivery.course.wrote_nothing or not paused, ("wrote although paused", delivery.course.passed)
        self._follow_up(delivery, tuple(rest))

    def _thaw(self, delivery: Delivery, strike: Crash | None = None) -> None:
        self.frozen.remove(delivery)
        self.rig.let_go(delivery, strike)
        self._follow_up(delivery, ())

    def _follow_up(self, delivery: Delivery, rest: tuple[Stage, ...]) -> None:
        if delivery.frozen:
            self.frozen.append(delivery)
            return
        if delivery.trouble is not None:
            assert delivery.course.lost_database, repr(delivery.trouble)
        if delivery.next is ChainAction.GO_ON and rest:
            self.messages.append(Message(tuple(delivery.mailing_ids), rest))

    def _work_on_what_is_due(self, which: int, strike: Crash | None, *, ahead: bool) -> None:
        rows = self._unfinished()
        row = rows[which % len(rows)]
        due = row.lease_until if row.state == State.WORKING else row.not_before
        self.rig.forward(max((due - self.rig.now()).total_seconds(), 0.0))
        self._deliver(Message((row.id,), rest_of_chain(Stage(row.stage))), ahead=ahead, strike=strike)

    def _unfinished(self) -> list[Any]:
        return [row for row in self.rig.rows() if row.state in {State.QUEUED, State.WORKING}]

    def _paused(self) -> bool:
        return self.rig.paused()

    def _arrive(self, request: DelayedRequest) -> None:
        """Let a request arrive that its sender gave up on, within the bounds of what is promised.

        Two things nobody could help against: a request that the vendor carries out after the settlement window,
        and people who appear on an order between the last look at it and its checkout taking effect: that is under
        way, or on its way just as they are.
        """
        overdue = (self.rig.now() - request.sent_at).total_seconds() >= _SETTLEMENT_WINDOW
        held_up = {mailing_id for one in self.frozen for mailing_id in one.mailing_ids}
        about_to_check_out = any(self.rig.row(one).stage == Stage.CHECKOUT for one in held_up)
        order = request.target.partition("/recipients")[0]
        on_its_way = any(one.target == f"{order}/checkout" for one in self.rig.network.lingering)
        if overdue or ("recipients" in request.target and (about_to_check_out or on_its_way)):
            self.rig.network.lingering.remove(request)
            return
        self.deeds.people_came_late |= "recipients" in request.target
        self.rig.network.arrive(request)

    def _sweep(self) -> None:
        with suppress(VendorError):
            orphan_sweep.run_once(self.rig.context, self.rig.now())

    def _cancel(self, mailing_id: int) -> None:
        with self.rig.transaction() as connection:
            outcome = transitions.cancel(connection, mailing_id, "a person", self.rig.now())
        assert outcome is not CancelOutcome.UNKNOWN
        if outcome is CancelOutcome.CANCELLED:
            assert self.rig.row(mailing_id).state == State.CANCELLED

    def _pause(self, *, everything: bool) -> None:
        with self.rig.transaction() as connection:
            transitions.pause(connection, None if everything else self.rig.campaign, self.rig.now())

    def _unpause(self) -> None:
        for campaign in (None, self.rig.campaign):
            with self.rig.transaction() as connection:
                transitions.unpause(connection, campaign, self.rig.now(), self.rig.context.redispatch_after)

    def _approve(self, mailing_id: int) -> None:
        quoted = self.rig.row(mailing_id).quoted
        with self.rig.transaction() as connection:
            if transitions.approve(connection, mailing_id, "a person", self.rig.now()):
                self.deeds.agreed[mailing_id].add(quoted)

    def _resolve(self, mailing_id: int, resolution: Resolution) -> None:
        with self.rig.transaction() as connection:
            transitions.resolve(connection, mailing_id, resolution, "a person", "seen to", self.rig.now())

    def _wait_until_due(self, *, at_least: float) -> bool:
        """Let time pass until a row is due; False if none will ever be."""
        due: list[Any] = [row.wake_at for row in self.rig.rows() if row.wake_at is not None]
        if not due:
            return False
        self.rig.forward(max((min(due) - self.rig.now()).total_seconds(), at_least))
        return True
