"""Everything the sandbox remembers: it changes by facts and in no other way."""

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter
from zlib import crc32

from sandbox.clock import Clock
from sandbox.domain.enums import Postage, Speed
from sandbox.domain.orders import Checkout, Order, StatusChange, Taken
from sandbox.domain.recipients import Recipient
from sandbox.events import (
    CallsCounted,
    ClockSet,
    Fact,
    OrderAdjusted,
    OrderCheckedOut,
    OrderCreated,
    OrderDeleted,
    OrderRepriced,
    OrderStatusSet,
    Outcome,
    RecipientNumberReached,
    RecipientsAttached,
    RecipientsRemoved,
    RuleMatched,
    RulesSet,
    SettingsChanged,
)
from sandbox.faults import FaultRule, Script
from sandbox.settings import Ids, RowOrder, Settings

_since = attrgetter("since")
_FIRST_ORDER = 500_001
_FIRST_RECIPIENT = 9_000_001
_ORDERS_BETWEEN = 5  # other customers' orders take numbers too: ours are rising, not consecutive
# Arbitrary numbers lie above all rising ones. An odd factor maps the numbers below 2**29 onto each other.
_FIRST_ARBITRARY = 1_000_000_000
_ARBITRARY_FACTOR = 387_276_957
_ARBITRARY_COUNT = 2**29


class State:
    """The vendor's books. `apply` is the only way to change them, so that replaying is remembering."""

    def __init__(self, clock: Clock, settings: Settings | None = None) -> None:
        self.clock = clock
        self.settings = settings or Settings()
        self.scripts: dict[int, Script] = {}
        self.orders: dict[int, Order] = {}
        self.arrived: Counter[str] = Counter()
        self.applied: Counter[str] = Counter()
        self.next_recipient = _FIRST_RECIPIENT
        self._shuffled: list[tuple[int, int]] = []
        self._last_order = _FIRST_ORDER - 1

    def next_order(self) -> int:
        """Return the number of the next order: higher than all before by a step that varies, or arbitrary."""
        if self.settings.order_ids is Ids.ARBITRARY:
            return _arbitrary(len(self.orders))
        return self._last_order + 1 + self._last_order * 7 % _ORDERS_BETWEEN

    def next_recipients(self, count: int) -> list[int]:
        """Return the numbers of the next recipients."""
        numbers = range(self.next_recipient, self.next_recipient + count)
        if self.settings.recipient_ids is Ids.ARBITRARY:
            return [_arbitrary(number) for number in numbers]
        return list(numbers)

    def order(self, number: int) -> Order | None:
        """Return a live order; a deleted one reads as one that never was (LettrLabs agent tools)."""
        order = self.orders.get(number)
        return None if order is None or order.deleted_at is not None else order

    def rows(self, then: float | None = None) -> Iterator[Order]:
        """Yield the live orders in the order in which the API lists them; with `then`, those that lived then."""
        if then is not None:
            return iter(self.picked(self.orders, then))
        match self.settings.order_of_rows:
            case RowOrder.SHUFFLED:
                numbers: Iterable[int] = (number for _, number in self._shuffled)
            case RowOrder.OLDEST:
                numbers = self.orders
            case RowOrder.NEWEST:
                numbers = reversed(self.orders)
        return (order for number in numbers if (order := self.order(number)) is not None)

    def picked(self, numbers: Iterable[int], then: float | None = None) -> list[Order]:
        """Return those of these orders that live, or lived then, in the order in which the API lists them."""
        orders = [order for number in numbers if (order := self._shown(number, then)) is not None]
        match self.settings.order_of_rows:
            case RowOrder.SHUFFLED:
                return sorted(orders, key=lambda order: _place(order.id))
            case RowOrder.OLDEST:
                return sorted(orders, key=_age)
            case RowOrder.NEWEST:
                return sorted(orders, key=_age, reverse=True)

    def apply(self, facts: Iterable[Fact]) -> None:
        """Take these facts into the books."""
        for fact in facts:
            self._apply(fact)

    def retold(self) -> Iterator[list[Fact]]:
        """Yield the fewest facts from which these books follow, in batches."""
        yield [ClockSet(self.clock.real, self.clock.sandbox, self.clock.speed)]
        yield [RulesSet([script.rule.model_dump(mode="json") for script in self.scripts.values()])]
        yield [RuleMatched(script.number, script.matched, script.fired) for script in self.scripts.values()]
        yield [CallsCounted(name, arrived, self.applied[name]) for name, arrived in self.arrived.items()]
        for order in self.orders.values():
            yield list(_retold(order))
        yield [RecipientNumberReached(self.next_recipient)]
        yield [SettingsChanged(self.settings.model_dump(mode="json"))]

    def _apply(self, fact: Fact) -> None:  # noqa: C901, PLR0912 - one arm for each kind of fact
        match fact:
            case CallsCounted():
                self.arrived[fact.endpoint] += fact.arrived
                self.applied[fact.endpoint] += fact.applied
            case OrderCreated():
                self.orders[fact.order] = Order(fact.order, fact.template, fact.at)
                if fact.order < _FIRST_ARBITRARY:
                    self._last_order = fact.order
                insort(self._shuffled, _place(fact.order))
            case OrderDeleted():
                self.orders[fact.order].deleted_at = fact.at
                del self._shuffled[bisect_left(self._shuffled, _place(fact.order))]
            case RecipientsAttached():
                self._attach(fact)
            case RecipientsRemoved():
                self.orders[fact.order].remove(fact.ids, fact.at)
            case OrderCheckedOut():
                self._check_out(fact)
            case OrderStatusSet():
                self.orders[fact.order].changes.append(StatusChange(fact.at, fact.status))
            case OrderAdjusted():
                taken = Taken(fact.at, Decimal(fact.amount), description=fact.description)
                self.orders[fact.order].adjustments.append((fact.credit, taken))
            case OrderRepriced():
                self.orders[fact.order].factor *= Decimal(fact.factor)
            case SettingsChanged():
                self.settings = Settings.model_validate(fact.settings)
            case ClockSet():
                self.clock = Clock(fact.real, fact.sandbox, fact.speed)
            case RulesSet():
                rules = (FaultRule.model_validate(rule) for rule in fact.rules)
                self.scripts = {number: Script(number, rule) for number, rule in enumerate(rules, start=1)}
            case RuleMatched():
                rule = self.scripts[fact.rule].rule
                self.scripts[fact.rule] = Script(fact.rule, rule, fact.matched, fact.fired)
            case RecipientNumberReached():
                self.next_recipient = fact.next

    def _attach(self, fact: RecipientsAttached) -> None:
        order = self.orders[fact.order]
        if fact.replaced:
            order.remove(list(order.recipients), fact.at)
        order.attach(
            Recipient(number, sent, fact.at) for number, sent in zip(fact.ids, fact.sent, strict=True)
        )
        self.next_recipient += len(fact.ids)

    def _check_out(self, fact: OrderCheckedOut) -> None:
        checkout = _checkout(fact)
        self.orders[fact.order].checkouts.append(checkout)
        drawn = sum(taken.drawn for taken in checkout.charges(math.inf))
        if drawn and self.settings.prepaid_balance is not None:
            left = max(self.settings.prepaid_balance - drawn, Decimal(0))
            self.settings = self.settings.model_copy(update={"prepaid_balance": left})

    def _shown(self, number: int, then: float | None) -> Order | None:
        order = self.orders.get(number)
        if order is None or then is None:
            return self.order(number)
        return order if order.existed(then) else None


def _arbitrary(number: int) -> int:
    return _FIRST_ARBITRARY + number * _ARBITRARY_FACTOR % _ARBITRARY_COUNT


def _age(order: Order) -> tuple[float, int]:
    return order.created_at, order.id


def _place(order: int) -> tuple[int, int]:
    return crc32(str(order).encode()), order


def _checkout(fact: OrderCheckedOut) -> Checkout:
    return Checkout(
        at=fact.at,
        settles_at=fact.settles_at,
        outcome=Outcome(fact.outcome),
        charged=Decimal(fact.charged),
        credited=Decimal(fact.credited),
        postage=Postage(fact.postage),
        speed=Speed(fact.speed),
        hold=None if fact.hold is None else date.fromisoformat(fact.hold),
        auto_bill=fact.auto_bill,
        drawn=Decimal(fact.drawn),
    )


def _retold_people(order: Order) -> Iterator[Fact]:
    people = [*(one for _, one in order.removed), *order.recipients.values()]
    for since, group in groupby(sorted(people, key=_since), _since):
        present = list(group)
        ids, sent = [one.id for one in present], [one.sent for one in present]
        yield RecipientsAttached(order.id, ids, sent, at=since)
    for until, gone in groupby(order.removed, itemgetter(0)):
        yield RecipientsRemoved(order.id, [one.id for _, one in gone], until)


def _retold(order: Order) -> Iterator[Fact]:
    yield OrderCreated(order.id, order.template_id, order.created_at)
    yield from _retold_people(order)
    if order.factor != 1:
        yield OrderRepriced(order.id, str(order.factor))
    for checkout in order.checkouts:
        yield OrderCheckedOut(
            order.id,
            checkout.at,
            checkout.settles_at,
            checkout.outcome,
            str(checkout.charged),
            str(checkout.credited),
            checkout.postage,
            checkout.speed,
            None if checkout.hold is None else checkout.hold.isoformat(),
            checkout.auto_bill,
            str(checkout.drawn),
        )
    yield from (OrderStatusSet(order.id, status, at) for at, status in order.changes)
    for credit, taken in order.adjustments:
        yield OrderAdjusted(order.id, str(taken.amount), taken.description, credit, taken.at)
    if order.deleted_at is not None:
        yield OrderDeleted(order.id, order.deleted_at)
