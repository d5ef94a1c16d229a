"""Creating, listing and deleting orders."""

from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter

from sandbox.clock import text
from sandbox.domain.delivery import delivery_counts, delivery_of
from sandbox.domain.orders import Order
from sandbox.domain.recipients import Recipient
from sandbox.domain.templates import TEMPLATES
from sandbox.events import OrderCreated, OrderDeleted
from sandbox.http.requests import Answer, Call, RefusedError
from sandbox.settings import Ids

_TRUTH = {"true": True, "false": False}
_id = attrgetter("id")


def create_order(call: Call) -> Answer:
    """Make a new draft, each time anew: there is no key to recognise a repeated request by."""
    template = call.members().get("templateId")
    if not isinstance(template, int) or isinstance(template, bool):
        raise RefusedError(400, "templateId is required", "TemplateIdRequired")
    if template not in TEMPLATES:
        raise RefusedError(400, f"Template {template} does not exist", "TemplateNotFound")
    number = call.world.next_order()
    return Answer({"orderId": number}, (OrderCreated(number, template, call.now),))


def delete_order(call: Call) -> Answer:
    """Delete a draft; in any other state 400 with a reason."""
    order = call.order()
    refuse_unless_draft(order, call.now, "deleted")
    return Answer({"orderId": order.id}, (OrderDeleted(order.id, call.now),))


def list_orders(call: Call) -> Answer:
    """List live orders. No row tells its template or its creation date, and nothing tells how many there are."""
    page = call.page()
    with_people = _flag(call, "showRecipients") or False
    found = islice(_matching(call), page.start, page.stop)
    then = call.lagging(call.world.settings.status_lag_seconds)
    rows = [_row(order, then, shown_people(call, order) if with_people else ()) for order in found]
    return Answer({"orderId": 0, "orders": rows})


def shown_people(call: Call, order: Order) -> list[Recipient]:
    """Return the people a read shows on the order: those of a while ago if it lags."""
    settings = call.world.settings
    lag = settings.recipients_lag_seconds
    people = order.people(call.lagging(lag)) if lag else list(order.recipients.values())
    return sorted(people, key=_id) if settings.recipient_ids is Ids.ARBITRARY else people


def refuse_unless_draft(order: Order, now: float, deed: str) -> None:
    """Raise `RefusedError` 400, in the vendor's words, unless the order is a draft or needs edits."""
    if not order.editable(now):
        raise invalid_status(order, now, deed)


def invalid_status(order: Order, now: float, deed: str) -> RefusedError:
    """Return the refusal that the order's status calls for."""
    message = f"Order {order.id} has invalid status '{order.status(now)}' and cannot be {deed}"
    return RefusedError(400, message, "InvalidOrderStatus")


def _matching(call: Call) -> Iterator[Order]:
    numbers = call.numbers("id")
    lag = call.world.settings.orders_lag_seconds
    then = call.lagging(lag) if lag else None
    orders = call.world.rows(then) if numbers is None else call.world.picked(numbers, then)
    paid = _flag(call, "paid")
    return (order for order in orders if _is_asked_for(order, call, paid))


def _is_asked_for(order: Order, call: Call, paid: bool | None) -> bool:  # noqa: FBT001 - None is "both"
    query, now = call.query, call.lagging(call.world.settings.status_lag_seconds)
    checkout = order.checkout(now)
    return (
        ("status" not in query or order.status(now) == query["status"])
        and (paid is None or paid == (order.paid_at(now) is not None))
        and ("product" not in query or order.template.product == query["product"])
        and ("postage" not in query or (checkout is not None and checkout.postage == query["postage"]))
    )


def _flag(call: Call, name: str) -> bool | None:
    given = call.query.get(name)
    if given is None:
        return None
    try:
        return _TRUTH[given.lower()]
    except KeyError:
        raise RefusedError(400, f"{name} is true or false") from None


def _row(order: Order, now: float, people: Iterable[Recipient]) -> dict[str, object]:
    checkout = order.checkout(now)
    return {
        "id": order.id,
        "status": order.status(now),
        "paidDate": text(order.paid_at(now)),
        "mailedDate": text(order.mailed_at(now)),
        "holdUntilDate": checkout.hold.isoformat() if checkout and checkout.hold else None,
        "postageType": checkout.postage if checkout else None,
        "productType": order.template.product,
        "productionSpeed": checkout.speed if checkout else None,
        "handwrittenFont": order.template.font,
        "qrCodeUrl": None,
        "deliveredStatus": delivery_counts(order, now).wire(),
        "recipients": [one.flat(order.id, *delivery_of(one.id, order, now)) for one in people],
    }
