"""The checkout summary and the checkout's own answer (LettrLabs, Checkout Summary)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field

from lettrlabs.wire.base import Id, Money, Received, Sent, Several, Tally, When

V = TypeVar("V")


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Leave out what has a name and no value: a price that is not stated is not a price of zero."""
    if value is None:
        return {}
    return {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value


Named: TypeAlias = Annotated[Mapping[str, V], BeforeValidator(_without_nulls)]


class Line(Received):
    """One line of the quote: a charge or a credit, perhaps made of smaller ones."""

    name: str | None = None
    quantity: Tally = None
    rate: Money = None
    tax: Money = None
    total: Money = None
    transaction_type: str | None = None
    transaction_sub_type: str | None = None
    sub_items: "Several[Line]" = ()


class Quote(Received):
    """What an order would cost and when it would arrive; asking charges nothing.

    `balance` is what remains to be paid once the account's credits are used: it may be 0 for an order that costs a
    lot. The prices are by name; `production_dates` tells by speed when production ends. Names outside Postage and
    ProductionSpeed occur.
    """

    order_id: Id | None = None
    lines: Several[Line] = Field(default=(), validation_alias="lineItems")
    credits: Several[Line] = ()
    total_charges: Money
    total_tax: Money = None
    total_credits: Money = None
    balance: Money
    production_dates: Named[When] = Field(default_factory=dict, validation_alias="productionSpeeds")
    production_prices: Named[Decimal] = Field(default_factory=dict, validation_alias="productionSpeedPrices")
    postage_prices: Named[Decimal] = Field(default_factory=dict, validation_alias="postageTypePrices")
    delivery_min: When = Field(default=None, validation_alias="estimatedDeliveryDateMin")
    delivery_max: When = Field(default=None, validation_alias="estimatedDeliveryDateMax")


class CheckoutRequest(Sent):
    """The body of a checkout: all four members are always sent."""

    postage_type: str
    production_speed: str
    hold_until_date: date | None
    auto_bill: bool


class Checkout(Received):
    """The vendor took the checkout; payment settles later.

    `order_status` and the two times, in seconds, are None from a vendor too old to say.
    """

    order_id: Id
    order_status: str | None = None
    poll_after_seconds: int | None = None
    settlement_expected_within_seconds: int | None = None
