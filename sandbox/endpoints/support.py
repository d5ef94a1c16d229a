"""What the vendor's support does to an order after it was submitted, on the operator's word."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from sandbox.events import Fact, OrderAdjusted, OrderStatusSet
from sandbox.persisted_state import Books
from sandbox.settings import STRICT

_Dollars = Annotated[Decimal, Field(gt=0, decimal_places=2, max_digits=12)]


class _Adjustment(BaseModel):
    model_config = STRICT

    amount: _Dollars
    description: str = "Adjustment"


class OrderChange(BaseModel):
    """A status (null lets the order go on by itself), money charged again, or money given back."""

    model_config = STRICT

    status: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    charge: _Adjustment | None = None
    credit: _Adjustment | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name a status, a charge or a credit")
        return self


def change_order(books: Books, order: int, change: OrderChange) -> bool:
    """Change the order as support would; returns False if there is no such order."""
    if books.world.order(order) is None:
        return False
    now = books.now()
    facts: list[Fact] = []
    if "status" in change.model_fields_set:
        facts.append(OrderStatusSet(order, change.status, now))
    for adjustment, credit in ((change.charge, False), (change.credit, True)):
        if adjustment is not None:
            amount = str(adjustment.amount)
            facts.append(OrderAdjusted(order, amount, adjustment.description, credit, now))
    books.record(*facts)
    return True
