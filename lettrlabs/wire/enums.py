"""The vendor's words as far as they are known. Answers carry plain text: a word not listed here is no error."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """States of an order (LettrLabs' agent tools, July 2026)."""

    DRAFT = "Draft"
    EDITS_NEEDED = "Edits Needed"
    PAYMENT_NEEDED = "Payment Needed"
    PAID = "Paid"
    READY_FOR_PRODUCTION = "Ready For Production"
    IN_PRODUCTION = "In Production"
    IN_QA = "In QA"
    IN_SHIPPING = "InShipping"
    MAILED = "Mailed"
    REFUNDED = "Refunded"
    CANCELLED = "Cancelled"
    DELETED = "Deleted"
    ERROR = "Error"


PAID = frozenset(
    {
        OrderStatus.PAID,
        OrderStatus.READY_FOR_PRODUCTION,
        OrderStatus.IN_PRODUCTION,
        OrderStatus.IN_QA,
        OrderStatus.IN_SHIPPING,
        OrderStatus.MAILED,
    }
)
"""The states of an order whose payment has gone through."""


class DeliveryStatus(StrEnum):
    """States of one piece (LettrLabs' agent tools, July 2026)."""

    WAITING = "Waiting on USPS Info"
    MAILED = "Mailed"
    IN_TRANSIT = "In Transit"
    AT_LOCAL_FACILITY = "At Local Facility"
    UNDELIVERABLE = "Undeliverable"
    DELIVERED = "Delivered"
    NO_TRACKING = "No Tracking Available"


class Postage(StrEnum):
    """Postage that may be asked for."""

    STANDARD = "Standard"
    FIRST_CLASS = "FirstClass"


class ProductionSpeed(StrEnum):
    """Production speeds that may be asked for."""

    NORMAL = "Normal"
    EXPEDITED_FASTER = "ExpeditedFaster"
    EXPEDITED_FASTEST = "ExpeditedFastest"
