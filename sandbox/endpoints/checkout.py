"""What an order would cost, and paying for it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sandbox.clock import moment, text
from sandbox.domain.business_days import close_of
from sandbox.domain.enums import ASKABLE_SPEEDS, Postage, Speed
from sandbox.domain.figures import money
from sandbox.domain.orders import Order, Status
from sandbox.domain.prices import POSTAGE_PRICES, SPEED_PRICES, delivery_dates, production_date, quote
from sandbox.endpoints.orders import invalid_status
from sandbox.events import Fact, OrderCheckedOut, OrderRepriced, Outcome
from sandbox.faults import FaultKind
from sandbox.http.requests import Answer, Call, RefusedError

_REQUIRED = ("postageType", "productionSpeed", "autoBill")


@dataclass(frozen=True, slots=True)
class _Options:
    """How an order is to be made and posted."""

    postage: Postage
    speed: Speed
    hold: date | None

    @classmethod
    def read(cls, call: Call, postage: object, speed: object, hold: object) -> "_Options":
        """Read what a call asks; raises `RefusedError` 400 for unknown words and a hold that is too early."""
        asked = call.choice(Speed, speed, "production speed")
        if asked not in ASKABLE_SPEEDS:
            raise RefusedError(400, "Unknown production speed")
        return cls(call.choice(Postage, postage, "postage"), asked, _hold(call, hold))


def summary(call: Call) -> Answer:
    """Quote an order. Only the parameters `postage`, `production` and `holdUntilDate` are known.

    Any other name is passed over in silence and the default quoted: Standard, Normal, no hold.
    """
    order = call.order()
    query = call.query
    options = _Options.read(
        call,
        query.get("postage", Postage.STANDARD),
        query.get("production", Speed.NORMAL),
        query.get("holdUntilDate") or None,
    )
    factor, repriced = _factor(call, order)
    pieces = len(order.recipients)
    settings = call.world.settings
    priced = quote(order.template, pieces, options.postage, options.speed, factor)
    return Answer(
        {
            "orderId": order.id,
            **money(priced.paid_from(settings.prepaid_balance), settings),
            **_choices(call.now, pieces, factor),
            **_arrival(call.now, options),
        },
        repriced,
    )


def checkout(call: Call) -> Answer:
    """Submit a draft for payment; it is `Payment Needed` at once and settles, or fails, later."""
    order = call.order()
    refuse_unless_chargeable(call, order)
    body = _complete(call.members())
    options = _Options.read(call, body["postageType"], body["productionSpeed"], body.get("holdUntilDate"))
    factor, repriced = _factor(call, order)
    settings = call.world.settings
    priced = quote(order.template, len(order.recipients), options.postage, options.speed, factor)
    priced = priced.paid_from(settings.prepaid_balance)
    short = settings.prepaid_balance is not None and priced.balance > 0 and body["autoBill"] is False
    settle = settings.settle_seconds
    submitted = OrderCheckedOut(
        order=order.id,
        at=call.now,
        settles_at=call.now + settle,
        outcome=Outcome.DECLINED if short else _outcome(call),
        charged=str(priced.charges + priced.tax),
        credited=str(priced.credited),
        postage=options.postage,
        speed=options.speed,
        hold=None if options.hold is None else options.hold.isoformat(),
        auto_bill=body["autoBill"] is True,
        drawn=str(priced.drawn),
    )
    wait = math.ceil(settle / call.world.clock.speed)  # the caller waits in real seconds
    payload = {
        "orderId": order.id,
        "orderStatus": Status.PAYMENT_NEEDED,
        "pollAfterSeconds": max(1, wait // 4),
        "settlementExpectedWithinSeconds": wait,
    }
    return Answer(payload, (*repriced, submitted))


def refuse_unless_chargeable(call: Call, order: Order) -> None:
    """Raise `RefusedError` 400 unless the order is a draft with somebody on it."""
    if order.status(call.now) == Status.PAYMENT_NEEDED:
        raise RefusedError(400, f"Order {order.id} is being settled", "SettlementInProgress")
    if order.status(call.now) != Status.DRAFT:
        raise invalid_status(order, call.now, "checked out")
    if not order.recipients:
        raise RefusedError(400, f"Order {order.id} has no recipients", "OrderHasNoRecipients")


def _complete(body: Mapping[str, object]) -> Mapping[str, object]:
    missing = [name for name in _REQUIRED if name not in body]
    if missing:
        raise RefusedError(400, f"{', '.join(missing)} required", "CheckoutOptionsRequired")
    if not isinstance(body["autoBill"], bool):
        raise RefusedError(400, "autoBill is true or false", "CheckoutOptionsRequired")
    return body


def _hold(call: Call, given: object) -> date | None:
    if given is None:
        return None
    try:
        hold = date.fromisoformat(str(given)[:10])
    except ValueError:
        raise RefusedError(400, "holdUntilDate is a date") from None
    normal = production_date(moment(call.now).date(), Speed.NORMAL)
    if hold <= normal:
        message = f"holdUntilDate must be later than the normal production completion date {normal}"
        raise RefusedError(400, message, "HoldUntilDateTooEarly")
    return hold


def _factor(call: Call, order: Order) -> tuple[Decimal, tuple[Fact, ...]]:
    if call.fault is None or not call.struck_by(FaultKind.REQUOTE):
        return order.factor, ()
    return order.factor * call.fault.factor, (OrderRepriced(order.id, str(call.fault.factor)),)


def _outcome(call: Call) -> Outcome:
    if call.struck_by(FaultKind.DECLINE):
        return Outcome.DECLINED
    return Outcome.PAID_TWICE if call.struck_by(FaultKind.DOUBLE_SETTLE) else Outcome.PAID


def _choices(now: float, pieces: int, factor: Decimal) -> dict[str, object]:
    """Return what each speed and postage would add to the order, and when each speed is done."""
    today = moment(now).date()
    return {
        "productionSpeeds": {speed: text(close_of(production_date(today, speed))) for speed in Speed},
        "productionSpeedPrices": {s: _added(price, pieces, factor) for s, price in SPEED_PRICES.items()},
        "postageTypePrices": {p: _added(price, pieces, factor) for p, price in POSTAGE_PRICES.items()},
    }


def _added(price: Decimal, pieces: int, factor: Decimal) -> float:
    return round(float((price * factor).quantize(Decimal("0.01"))) * pieces, 2)


def _arrival(now: float, options: _Options) -> dict[str, object]:
    produced = production_date(moment(now).date(), options.speed)
    first, last = delivery_dates(max(produced, options.hold or produced), options.postage)
    return {
        "estimatedDeliveryDateMin": text(close_of(first)),
        "estimatedDeliveryDateMax": text(close_of(last)),
    }
