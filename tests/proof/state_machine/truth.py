"""What must be true after every step, with the sandbox's ledger as the judge, and what must be true at rest."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row

from models import Approval, Outcome, Stage, State
from tests.proof.state_machine.plans import Scenario
from tests.proof.state_machine.rig import Harness

_DRAFT: Final = "Draft"
_SETTLING: Final = "Payment Needed"
_SLEEPS: Final = frozenset({State.APPROVAL, State.ATTENTION, State.SENT, State.FAILED, State.CANCELLED})
# No pause of Mailrun's own is longer than an hour, its longest backoff.
_LONGEST_SLEEP: Final = timedelta(hours=1)


@dataclass
class Actions:
    """What was done to the run from outside: it decides which ends are true ones."""

    doubled_charges: bool = False
    repriced_at_checkout: bool = False
    agreed: dict[int, set[Decimal]] = field(default_factory=lambda: defaultdict(set))
    foreign: set[int] = field(default_factory=set)
    people_came_late: bool = False


class Invariants:
    """One look at everything: the vendor's orders, our rows."""

    def __init__(self, rig: Harness, deeds: Actions) -> None:
        self.rig, self.deeds = rig, deeds
        ledger = rig.operator.ledger()
        self.orders: dict[int, Mapping[str, Any]] = {one["id"]: one for one in ledger["orders"]}
        self.rows = rig.rows()
        self.people: dict[int, list[Row[Any]]] = defaultdict(list)
        for person in rig.recipients():
            self.people[person.mailing_id].append(person)

    def check(self) -> None:
        """Assert every invariant."""
        assert not self.rig.broke, self.rig.broke
        for order in self._live():
            self._check_order(order)
        self._nobody_is_mailed_twice()
        self._what_others_made_is_left_alone()
        for row, plan in zip(self.rows, self.rig.plans, strict=True):
            self._check_row(row, plan)

    def _live(self) -> Iterable[Mapping[str, Any]]:
        return (order for order in self.orders.values() if not order["deleted"])

    def _check_order(self, order: Mapping[str, Any]) -> None:
        if order["id"] in self.deeds.foreign:
            return
        charges = len(order["charges"])
        assert charges <= 1 or self.deeds.doubled_charges, ("charged more than once", order)
        if order["recipients"]:
            owners = {self._owner(person) for person in order["recipients"]}
            assert len(owners) == 1, ("people of several mailings on one order", order)
            row = self.rows[owners.pop()]
            assert row.order_id == order["id"], (
                "an order with people that its mailing does not know",
                row,
                order,
            )
        if order["status"] != _DRAFT:
            assert order["recipients"], ("an empty order was checked out", order)

    def _owner(self, person: Mapping[str, Any]) -> int:
        return int(person["firstName"].removeprefix("M").partition("P")[0])

    def _nobody_is_mailed_twice(self) -> None:
        paid = [order for order in self._live() if order["status"] != _DRAFT]
        pieces = Counter(person["firstName"] for order in paid for person in order["recipients"])
        assert all(count == 1 for count in pieces.values()), ("mailed twice", pieces)

    def _check_row(self, row: Row[Any], plan: Scenario) -> None:
        order = self.orders.get(row.order_id)
        live = order is not None and not order["deleted"]
        checked_out = live and order["status"] != _DRAFT
        self._it_will_be_seen_to(row)
        if checked_out:
            self._is_as_agreed(row, plan, order)
        match row.state:
            case State.SENT:
                assert checked_out, ("sent without a paid order", row, order)
                assert order["status"] != _SETTLING, ("sent before it settled", row, order)
            case State.CANCELLED | State.FAILED:
                assert not live, (f"{row.state}, and its order lives", row, order)
        if row.state in {State.FAILED, State.ATTENTION}:
            assert row.reason, row
            assert row.reason_code, row

    def _it_will_be_seen_to(self, row: Row[Any]) -> None:
        if row.state in _SLEEPS:
            assert row.claim is None, row
            assert row.wake_at is None, row
        else:
            assert row.wake_at <= self.rig.now() + _LONGEST_SLEEP, ("sleeps for too long", row)
            assert (row.claim is not None) == (row.state == State.WORKING), row

    def _is_as_agreed(self, row: Row[Any], plan: Scenario, order: Mapping[str, Any]) -> None:
        """It was checked out with exactly the accepted people, and at a price that a person agreed to."""
        accepted = {
            one.vendor_id: one.first_name for one in self.people[row.id] if one.outcome == Outcome.ACCEPTED
        }
        ordered = {person["id"]: person["firstName"] for person in order["recipients"]}
        assert ordered == accepted, ("other people than accepted", row, order)
        assert order["templateId"] == plan.template, ("another design than asked for", row, order)
        assert row.stage in {Stage.CHECKOUT, Stage.SETTLE}, ("checked out before its time", row, order)
        if plan.approval is Approval.REQUIRED and not self.deeds.repriced_at_checkout:
            due = Decimal(order["checkouts"][-1]["due"])
            agreed = self.deeds.agreed[row.id]
            assert due in agreed, ("paid at a price nobody agreed to", due, agreed)

    def all_rest_for_a_true_reason(self) -> None:
        """Assert that nothing is left to do but by people, and that what they are told is so."""
        for row in self.rows:
            assert row.state in _SLEEPS, ("does not rest", row)
            if row.state in {State.FAILED, State.ATTENTION}:
                assert self._true(row), ("not a true reason", row, self.orders.get(row.order_id))

    def _true(self, row: Row[Any]) -> bool:
        order = self.orders.get(row.order_id)
        match row.reason_code:
            case "payment_failed":
                return order is not None and order["checkouts"][-1]["outcome"] == "declined"
            case "recipients_changed":
                return self.deeds.people_came_late
            case "charge_differs":
                return self.deeds.doubled_charges or self.deeds.repriced_at_checkout
            case "nobody_accepted":
                return all(one.outcome == Outcome.REJECTED for one in self.people[row.id])
            case "recipients_differ" | "checkout_unclear" | "attempts":
                return order is None or order["status"] == _DRAFT
            case _:
                return False

    def nothing_is_left(self, *, exclusive: bool) -> None:
        """Assert that the hourly look found every draft that no mailing explains, and deleted it if it may."""
        left = self._stray_drafts()
        assert left <= set(self.rig.strays()), ("a stray that nobody knows of", left)
        assert not left or not exclusive, ("a stray is left", left, self.rig.strays())

    def _stray_drafts(self) -> set[int]:
        ours = {row.order_id for row in self.rows}
        return {
            order["id"]
            for order in self._live()
            if order["status"] == _DRAFT
            and not order["recipients"]
            and order["id"] not in ours
            and order["id"] not in self.deeds.foreign
        }

    def _what_others_made_is_left_alone(self) -> None:
        for number in self.deeds.foreign:
            assert not self.orders[number]["deleted"], ("somebody else's draft was deleted", number)
            assert not any(row.order_id == number for row in self.rows), (
                "somebody else's draft was taken",
                number,
            )
            assert not self.orders[number]["recipients"], ("somebody else's draft was filled", number)
