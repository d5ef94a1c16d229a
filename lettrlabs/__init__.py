"""How we speak to LettrLabs: a typed client whose writes answer in four ways and are never retried."""

from lettrlabs.client import APPEND_ALIAS, MAX_RECIPIENTS, LettrLabs
from lettrlabs.outcomes import (
    Accepted,
    CallObserver,
    CallRecord,
    NotSent,
    Outcome,
    Refused,
    Rejected,
    Scalar,
    Unavailable,
    Unknown,
    VendorError,
    WriteOutcome,
)
from lettrlabs.rate_limit import RateLimit
from lettrlabs.timeouts import Timeouts
from lettrlabs.wire.account import Account, Template
from lettrlabs.wire.enums import PAID, DeliveryStatus, OrderStatus, Postage, ProductionSpeed
from lettrlabs.wire.new_recipients import NewAddress, NewMetadata, NewPersonal, NewRecipient
from lettrlabs.wire.orders import Delivered, Order
from lettrlabs.wire.quotes import Checkout, Line, Quote
from lettrlabs.wire.recipients import AppendResult, OrderRecipient, Undeliverable
from lettrlabs.wire.reports import OrderAnalytics, OrderTransactions, PieceDelivery, Transaction

__all__ = [
    "APPEND_ALIAS",
    "MAX_RECIPIENTS",
    "PAID",
    "Accepted",
    "Account",
    "AppendResult",
    "CallObserver",
    "CallRecord",
    "Checkout",
    "Delivered",
    "DeliveryStatus",
    "LettrLabs",
    "Line",
    "NewAddress",
    "NewMetadata",
    "NewPersonal",
    "NewRecipient",
    "NotSent",
    "Order",
    "OrderAnalytics",
    "OrderRecipient",
    "OrderStatus",
    "OrderTransactions",
    "Outcome",
    "PieceDelivery",
    "Postage",
    "ProductionSpeed",
    "Quote",
    "RateLimit",
    "Refused",
    "Rejected",
    "Scalar",
    "Template",
    "Timeouts",
    "Transaction",
    "Unavailable",
    "Undeliverable",
    "Unknown",
    "VendorError",
    "WriteOutcome",
]
