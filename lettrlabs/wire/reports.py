"""What became of orders: delivery, analytics, transactions (LettrLabs reference)."""

from typing import Any

from pydantic import AliasChoices, Field, model_validator

from lettrlabs.wire.base import Count, Id, Listed, Money, Received, Several, Tally, When


class PieceDelivery(Received):
    """How far one recipient's piece has come; the vendor does not describe this answer's members."""

    recipient_id: Id | None = Field(
        default=None, validation_alias=AliasChoices("id", "recipientId", "orderRecipientId")
    )
    status: str | None = Field(default=None, validation_alias=AliasChoices("status", "deliveryStatus"))
    updated_at: When = Field(default=None, validation_alias=AliasChoices("updatedDate", "updatedAt"))

    @property
    def id(self) -> int:
        """By what rows of several pages are told apart; nobody can use one without."""
        return self.recipient_id or 0

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, data: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        if isinstance(data, dict) and isinstance(data.get("delivery"), dict):
            return data | data["delivery"] | {"id": data.get("id")}
        return data


class DeliveryReport(Received):
    """The pieces of one order."""

    recipients: Listed[PieceDelivery]


class RecipientScans(Received):
    """How often one recipient's QR code was read."""

    recipient_id: Id = Field(validation_alias="id")
    total_scans: Count = 0
    last_scan: When = None


class QrCode(Received):
    """How often an order's QR codes were read."""

    total_scans: Count = 0
    last_scan: When = None
    recipients: Several[RecipientScans] = ()


class OrderAnalytics(Received):
    """Pieces of one order by how far they have come, and what is expected."""

    order_id: Id
    total_cards: Count = 0
    mailed: Count = 0
    in_transit: Count = 0
    at_local_facility: Count = Field(
        default=0, validation_alias=AliasChoices("localFacility", "atLocalFacility")
    )
    delivered: Count = 0
    undeliverable: Count = 0
    waiting: Count = Field(default=0, validation_alias="waitingUSPS")
    qr_code: QrCode | None = None
    paid_date: When = None
    delivery_min: When = Field(default=None, validation_alias="minEstimatedDeliveredDate")
    delivery_max: When = Field(default=None, validation_alias="maxEstimatedDeliveredDate")
    postage_type: str | None = None
    production_speed: str | None = None
    order_status: str | None = Field(default=None, validation_alias=AliasChoices("orderStatus", "status"))


class AnalyticsReport(Received):
    """Analytics by order."""

    orders: Listed[OrderAnalytics]


class Transaction(Received):
    """One movement of money; whether it is a credit stands beside the amount."""

    id: Id | None = None
    order_id: Id | None = None
    amount: Money = None
    description: str | None = None
    created_date: When = None
    transaction_type: str | None = None
    transaction_sub_type: str | None = None
    is_credit: bool | None = None


class OrderTransactions(Received):
    """What one order cost in the end."""

    order_id: Id
    volume: Tally = None
    total_price: Money = None
    cost_per_piece: Money = None
    order_status: str | None = None
    paid_date: When = None
    created_date: When = None
    is_credit: bool | None = None
    transaction_type: str | None = None
    transaction_sub_type: str | None = None
    transactions: Listed[Transaction]


class TransactionReport(Received):
    """Transactions by order."""

    orders: Listed[OrderTransactions]
