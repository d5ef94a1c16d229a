"""What can be read about orders afterwards, and what can be read about the account."""

from sandbox.clock import moment, text
from sandbox.domain.business_days import close_of
from sandbox.domain.delivery import Delivery, delivery_counts, delivery_of
from sandbox.domain.orders import Order
from sandbox.domain.prices import delivery_dates
from sandbox.domain.templates import FONTS, TEMPLATES
from sandbox.endpoints.transactions import account
from sandbox.http.requests import Answer, Call, RefusedError
from sandbox.settings import TemplateEndpoints


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
    settings = call.world.settings
    then = call.lagging(settings.transactions_lag_seconds)
    return Answer({"orderId": 0, "orders": [account(order, then, settings) for order in _asked(call)]})


def templates(call: Call) -> Answer:
    """Return the account's designs."""
    _refuse_templates(call)
    return Answer({"templates": [template.wire() for template in TEMPLATES.values()]})


def template(call: Call) -> Answer:
    """Return one design with the text that is written on it."""
    _refuse_templates(call)
    found = TEMPLATES.get(call.route.subject)
    if found is None:
        raise RefusedError(404, "Template not found", "TemplateNotFound")
    return Answer({**found.wire(), "message": found.message})


def fonts(_: Call) -> Answer:
    """Return the handwriting fonts."""
    return Answer({"fonts": list(FONTS)})


def me(_: Call) -> Answer:
    """Return who owns the key; neither a plan nor a balance is told."""
    return Answer(
        {
            "id": 1,
            "aadId": "00000000-0000-4000-8000-000000000001",
            "email": "sandbox@example.com",
            "firstName": "Sandbox",
            "lastName": "Account",
            "company": "Sandbox Company",
            "created": "2024-01-01T00:00:00Z",
            "shouldProcessQrCodes": False,
        }
    )


def _refuse_templates(call: Call) -> None:
    match call.world.settings.template_endpoints:
        case TemplateEndpoints.FORBIDDEN:
            raise RefusedError(403, "Your plan does not include templates")
        case TemplateEndpoints.MISSING:
            raise RefusedError(404, "No such path")


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
        "status": order.status(now),
        "orderStatus": order.status(now),
        "campaignName": None,
        "product": order.template.product,
        "productionSpeed": checkout.speed if checkout else None,
    }
