"""What really happened, told to tests and operators: no fault touches it."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from sandbox.addresses import said
from sandbox.clock import text
from sandbox.orders import Order, Status
from sandbox.recipients import Recipient, Sent
from sandbox.world import World


def summary(world: World, now: float) -> dict[str, object]:
    """Return the totals: orders by state, charges, money in dollars as text, and calls by endpoint."""
    live = [order for order in world.orders.values() if order.deleted_at is None]
    states = Counter(order.status(now) for order in live)
    charges = [amount for order in live for _, amount in order.charges(now)]
    paid = [order for order in live if order.paid_at(now) is not None]
    return {
        "now": text(now),
        "created": len(world.orders),
        "deleted": len(world.orders) - len(live),
        "liveDrafts": states[Status.DRAFT],
        "settling": states[Status.PAYMENT_NEEDED],
        "paid": len(paid),
        "pieces": sum(len(order.recipients) for order in paid),
        "charges": len(charges),
        "charged": str(sum(charges, start=Decimal("0.00"))),
        "calls": calls(world),
    }


def calls(world: World) -> dict[str, object]:
    """Return the calls by endpoint: what a caller may ask for often, for it costs the same however much happened."""
    return {name: _calls(world, name) for name in sorted(world.arrived)}


def ledger(world: World, now: float) -> dict[str, object]:
    """Return everything: each order ever made, the pieces each person gets from paid orders, the totals."""
    people: Counter[str] = Counter()
    for order in world.orders.values():
        if order.deleted_at is None and order.paid_at(now) is not None:
            people.update(person_key(one.opened()) for one in order.recipients.values())
    return {
        "orders": [_order(order, now) for order in world.orders.values()],
        "people": people,
        "totals": summary(world, now),
    }


def person_key(sent: Sent) -> str:
    """Return who a piece goes to, from what was sent and not from what the sandbox made of it.

    firstName, lastName, address1, address2, city, state and the first five characters of zipCode, joined by
    `|`; in lower case, runs of blanks as one.
    """
    names = (said(sent.personal, name) for name in ("firstName", "lastName"))
    lines = (said(sent.address, name) for name in ("address1", "address2", "city", "state"))
    return "|".join(
        " ".join(part.split()).lower() for part in (*names, *lines, said(sent.address, "zipCode")[:5])
    )


def _order(order: Order, now: float) -> Mapping[str, object]:
    return {
        "id": order.id,
        "templateId": order.template_id,
        "status": order.status(now),
        "createdAt": text(order.created_at),
        "deleted": order.deleted_at is not None,
        "recipients": [_recipient(one) for one in order.recipients.values()],
        "checkouts": [
            {
                "at": text(checkout.at),
                "settlesAt": text(checkout.settles_at),
                "outcome": checkout.outcome,
                "due": str(checkout.due),
                "postageType": checkout.postage,
                "productionSpeed": checkout.speed,
                "holdUntilDate": checkout.hold and checkout.hold.isoformat(),
                "autoBill": checkout.auto_bill,
            }
            for checkout in order.checkouts
        ],
        "charges": [{"amount": str(amount), "at": text(at)} for at, amount in order.charges(now)],
    }


def _recipient(recipient: Recipient) -> dict[str, object]:
    sent = recipient.opened()
    return {"id": recipient.id, **sent.personal, **sent.address, "metadata": dict(sent.metadata)}


def _calls(world: World, name: str) -> dict[str, int]:
    return {"arrived": world.arrived[name], "applied": world.applied[name]}
