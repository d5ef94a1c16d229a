"""Looking at the orders of several mailings in one call: settlement is polled, and polled one by one it costs most.

What one call told of many is told each of them by its own journal, with its own order's share of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lettrlabs import PAID, CallRecord, Order, OrderTransactions, Scalar, Unavailable, VendorError
from worker.context import WorkerContext

# As many as travel in one URL anywhere, and as may wait for one another.
SETTLE_BATCH_SIZE: Final = 50
_SERVER_TROUBLE: Final = 500
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class SharedLook:
    """What was seen of some orders; of one that is missing here nothing is known, and it is asked for by itself.

    With ``trouble`` the vendor is away, for all of them alike.
    """

    orders: Mapping[int, Order] = field(default_factory=dict)
    transactions: Mapping[int, Sequence[OrderTransactions]] = field(default_factory=dict)
    calls: Sequence[CallRecord] = ()
    trouble: VendorError | None = None

    def calls_for(self, order_id: int) -> list[CallRecord]:
        """Return the evidence of the calls as one of the orders has it: its own share of question and answer."""
        shared: dict[str, Scalar] = {"id": order_id, "together": len(self.orders)}
        return [
            replace(call, order_id=order_id, request=shared, answer=self._answer(call, order_id))
            for call in self.calls
        ]

    def _answer(self, call: CallRecord, order_id: int) -> Mapping[str, Scalar]:
        order, told = self.orders.get(order_id), self.transactions.get(order_id)
        if call.operation == "transactions":
            return {} if told is None else {"transactions": sum(len(part.transactions) for part in told)}
        return {} if order is None else {"order_status": order.status}


def look(context: WorkerContext, order_ids: Sequence[int]) -> SharedLook:
    """Look at these orders, and at the transactions of those that are paid."""
    calls: list[CallRecord] = []
    vendor = context.vendor.observed(calls.append)
    try:
        orders = vendor.orders(order_ids)
        paid = [order.id for order in orders.values() if order.status in PAID]
        told: dict[int, list[OrderTransactions]] = {}
        for part in vendor.transactions(paid):
            told.setdefault(part.order_id, []).append(part)
    except VendorError as trouble:
        # An answer that cannot be read, or a refusal, may be about one of them: then each is asked for by itself.
        return SharedLook(calls=calls, trouble=trouble if _is_away(trouble) else None)
    return SharedLook(orders, told, calls)


def _is_away(trouble: VendorError) -> bool:
    if not isinstance(trouble, Unavailable):
        return False
    status = trouble.call.status
    return status is None or status == _TOO_MANY or status >= _SERVER_TROUBLE
