"""Orders as the vendor lists them (LettrLabs reference, Get Orders)."""

from pydantic import AliasChoices, Field

from lettrlabs.wire.base import Count, Id, Listed, Received, Sent, Several, When
from lettrlabs.wire.recipients import OrderRecipient


class CreateRequest(Sent):
    """The body of a create: there is no member to mark the order with."""

    template_id: int


class Created(Received):
    """A new, empty draft."""

    order_id: Id


class Delivered(Received):
    """How many pieces of an order have come how far."""

    mailed: Count = 0
    in_transit: Count = 0
    at_local_facility: Count = Field(
        default=0, validation_alias=AliasChoices("atLocalFacility", "localFacility")
    )
    delivered: Count = 0


class Order(Received):
    """One order as it stands. Its template and its date of creation are not told.

    `status` is an OrderStatus where the word is known; `recipients` are filled only where they were asked for.
    """

    id: Id
    status: str
    paid_date: When = None
    mailed_date: When = None
    hold_until: When = Field(default=None, validation_alias="holdUntilDate")
    postage_type: str | None = None
    product_type: str | None = None
    production_speed: str | None = None
    delivered: Delivered | None = Field(default=None, validation_alias="deliveredStatus")
    recipients: Several[OrderRecipient] = ()


class OrderPage(Received):
    """One page of orders, in no promised sequence; no total is given."""

    orders: Listed[Order]
