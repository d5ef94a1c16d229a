"""What can be read about orders afterwards, and what can be read about the account."""

from sandbox.business_days import close_of
from sandbox.calls import Answer, Call, RefusedError
from sandbox.clock import moment, text
from sandbox.delivery import Delivery, delivery_counts, delivery_of
from sandbox.orders import Checkout, Order
from sandbox.prices import delivery_dates, quote
from sandbox.templates import FONTS, TEMPLATES

_NO_DETAIL = {"basePrice": 0, "doubleSided": 0, "postagePrice": 0, "extraText": 0, "expedited": 0}


def delivery_status(call: Call) -> Answer:
    """Return the delivery of each piece of an order, a page at a time."""
    order = call.order()
    then = call.lagging(call.world.settings.reports_lag_seconds)
    rows = []
    for recipient in order.people(then)[call.page()]:
        state, since = delivery_of(recipient.id, order, then)
        rows.append({"id": recipient.id, "status": state, "updatedDate": since})
    return Answer({"orderId": order.id, "recipients": rows})


def analytics(call: Call) -> Answer:
    """Return how far the orders of `Id` are; all of the account without it."""
    then = call.lagging(call.world.settings.reports_lag_seconds)
    return Answer({"orderId": 0, "orders": [_progress(order, then) for order in _asked(call)]})


def transactions(call: Call) -> Answer:
    """Return the money of the orders of `Id`: none for one that has not settled, or whose payment failed."""
    then = call.lagging(call.world.settings.transactions_lag_seconds)
    return Answer({"orderId": 0, "orders": [_account(order, then) for order in _asked(call)]})


def templates(_: Call) -> Answer:
    """Return the account's designs."""
    return Answer({"templates": [template.wire() for template in TEMPLATES.values()]})


def template(call: Call) -> Answer:
    """Return one design with the text that is written on it."""
    found = TEMPLATES.get(call.route.subject)
    if found is None:
        raise RefusedError(404, "Template not found", "TemplateNotFound")
    return Answer({**found.wire(), "message": found.message})


def fonts(_: Call) -> Answer:
    """Return the handwriting fonts."""
    return Answer({"fonts": list(FONTS)})


def me(_: Call) -> Answer:
    """Return whose key this is."""
    return Answer({"id": 1, "name": "Sandbox account", "email": "sandbox@example.com", "plan": "Sandbox"})


def _asked(call: Call) -> list[Order]:
    numbers = call.numbers("Id")
    return list(call.world.rows()) if numbers is None else call.world.picked(numbers)


def _progress(order: Order, now: float) -> dict[str, object]:
    counts, checkout, mailed_at = delivery_counts(order, now), order.checkout(now), order.mailed_at(now)
    first = last = None
    if checkout and checkout.paid_at(now):
        days = delivery_dates(moment(mailed_at or checkout.mailed_at()).date(), checkout.postage)
        first, last = (text(close_of(day)) for day in days)
    return {
        "orderId": order.id,
        "totalCards": counts.pieces,
        "mailed": counts.of[Delivery.MAILED],
        "inTransit": counts.of[Delivery.IN_TRANSIT],
        "localFacility": counts.of[Delivery.LOCAL],
        "delivered": counts.of[Delivery.DELIVERED],
        "undeliverable": counts.of[Delivery.UNDELIVERABLE],
        "waitingUSPS": counts.of[Delivery.WAITING],
        "qrCode": {"totalScans": 0, "lastScan": None, "recipients": []},
        "paidDate": text(order.paid_at(now)),
        "minEstimatedDeliveredDate": first,
        "maxEstimatedDeliveredDate": last,
        "postageType": checkout.postage if checkout else None,
        "orderStatus": order.status(now),
        "campaignName": None,
        "product": order.template.product,
        "productionSpeed": checkout.speed if checkout else None,
    }


def _account(order: Order, now: float) -> dict[str, object]:
    """One order's money; `totalPrice` is what was taken in all, charges less credits."""
    taken = [checkout for checkout in order.checkouts for _ in checkout.charges(now)]
    entries = [entry for nth, checkout in enumerate(taken) for entry in _entries(order, checkout, nth)]
    total = sum((checkout.due for checkout in taken), start=0)
    volume = len(order.recipients)
    first = taken[0] if taken else None
    return {
        "orderId": order.id,
        "volume": volume,
        "totalPrice": float(total),
        "costPerPiece": round(float(total) / volume, 4) if volume else 0,
        "orderStatus": order.status(now),
        "paidDate": text(order.paid_at(now)),
        "isCredit": False,
        "transactionType": "Charge",
        "transactionSubType": "Order",
        "createdDate": text(first.settles_at) if first else None,
        "detail": _detail(order, first),
        "discount": dict(_NO_DETAIL),
        "transactions": entries,
    }


def _entries(order: Order, checkout: Checkout, nth: int) -> list[dict[str, object]]:
    def entry(kind: str, amount: float, *, credit: bool) -> dict[str, object]:
        return {
            "id": order.id * 100 + nth * 10 + credit,
            "orderId": order.id,
            "amount": amount,
            "description": f"{kind} for order {order.id}",
            "createdDate": text(checkout.settles_at),
            "transactionType": kind,
            "transactionSubType": "Volume" if credit else "Order",
            "isCredit": credit,
        }

    entries = [entry("Charge", float(checkout.charged), credit=False)]
    if checkout.credited:
        entries.append(entry("Credit", float(checkout.credited), credit=True))
    return entries


def _detail(order: Order, checkout: Checkout | None) -> dict[str, object]:
    if checkout is None:
        return dict(_NO_DETAIL)
    pieces = len(order.recipients)
    card, *speed = quote(order.template, pieces, checkout.postage, checkout.speed, order.factor).lines
    base, postage = card.parts
    return {
        **_NO_DETAIL,
        "basePrice": float(base.total),
        "postagePrice": float(postage.total),
        "expedited": float(speed[0].total) if speed else 0,
    }
