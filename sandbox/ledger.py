"""What really happened, told to tests and operators: no fault touches it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from sandbox.clock import text
from sandbox.domain.addresses import said
from sandbox.domain.orders import Order, Status, Taken
from sandbox.domain.recipients import Recipient, Sent
from sandbox.state import State


def summary(world: State, now: float) -> dict[str, object]:
    """Return the totals: orders by state, charges, money in dollars as text, and calls by endpoint."""
    live = [order for order in world.orders.values() if order.deleted_at is None]
    states = Counter(order.status(now) for order in live)
    charges = [taken for order in world.orders.values() for taken in order.charges(now)]
    refunds = [taken for order in world.orders.values() for taken in order.refunds(now)]
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
        "charged": _sum(taken.amount for taken in charges),
        "drawn": _sum(taken.drawn for taken in charges),
        "refunded": _sum(taken.amount for taken in refunds),
        "calls": calls(world),
    }


def calls(world: State) -> dict[str, object]:
    """Return the calls by endpoint: what a caller may ask for often, for it costs the same however much happened."""
    return {name: _calls(world, name) for name in sorted(world.arrived)}


def ledger(world: State, now: float) -> dict[str, object]:
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


def order_entry(world: State, number: int, now: float) -> Mapping[str, object]:
    """Return what `ledger` tells about one order."""
    return _order(world.orders[number], now)


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
        "charges": [_taken(taken) for taken in order.charges(now)],
        "refunds": [_taken(taken) for taken in order.refunds(now)],
    }


def _taken(taken: Taken) -> dict[str, object]:
    told: dict[str, object] = {"amount": str(taken.amount), "drawn": str(taken.drawn), "at": text(taken.at)}
    return {**told, "description": taken.description} if taken.description else told


def _sum(amounts: Iterable[Decimal]) -> str:
    return str(sum(amounts, start=Decimal("0.00")))


def _recipient(recipient: Recipient) -> dict[str, object]:
    sent = recipient.opened()
    return {"id": recipient.id, **sent.personal, **sent.address, "metadata": dict(sent.metadata)}


def _calls(world: State, name: str) -> dict[str, int]:
    return {"arrived": world.arrived[name], "applied": world.applied[name]}
