"""Which call of the vendor's API a method and a path mean."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Endpoint(StrEnum):
    """One call of the LettrLabs API; the values name it in fault rules and in the ledger's counts."""

    CREATE_ORDER = "create_order"
    LIST_ORDERS = "list_orders"
    DELETE_ORDER = "delete_order"
    APPEND_RECIPIENTS = "append_recipients"
    LIST_RECIPIENTS = "list_recipients"
    DELETE_RECIPIENTS = "delete_recipients"
    PROOF = "proof"
    SUMMARY = "summary"
    CHECKOUT = "checkout"
    DELIVERY_STATUS = "delivery_status"
    ANALYTICS = "analytics"
    TRANSACTIONS = "transactions"
    TEMPLATES = "templates"
    TEMPLATE = "template"
    FONTS = "fonts"
    ME = "me"
    OPENAPI = "openapi"


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint and the ids in its path; an id that the path does not have is 0."""

    endpoint: Endpoint
    subject: int = 0
    recipient: int = 0
    always_appends: bool = False


_FIXED = {
    ("POST", "/api/v1/order"): Route(Endpoint.CREATE_ORDER),
    ("GET", "/api/v1/order"): Route(Endpoint.LIST_ORDERS),
    ("GET", "/api/v1/order/analytics"): Route(Endpoint.ANALYTICS),
    ("GET", "/api/v1/order/transaction"): Route(Endpoint.TRANSACTIONS),
    ("GET", "/api/v1/templates"): Route(Endpoint.TEMPLATES),
    ("GET", "/api/v1/fonts"): Route(Endpoint.FONTS),
    ("GET", "/api/v1/me"): Route(Endpoint.ME),
    ("GET", "/api/openapi/v3.json"): Route(Endpoint.OPENAPI),
}
_OF_AN_ORDER = {
    ("DELETE", None): Endpoint.DELETE_ORDER,
    ("PUT", "recipients"): Endpoint.APPEND_RECIPIENTS,
    ("PUT", "recipients:append"): Endpoint.APPEND_RECIPIENTS,
    ("GET", "recipients"): Endpoint.LIST_RECIPIENTS,
    ("DELETE", "recipients"): Endpoint.DELETE_RECIPIENTS,
    ("GET", "proof"): Endpoint.PROOF,
    ("GET", "checkout"): Endpoint.SUMMARY,
    ("POST", "checkout"): Endpoint.CHECKOUT,
    ("GET", "recipient-delivery-status"): Endpoint.DELIVERY_STATUS,
}
# 18 digits: more would not be an id, and would only be work to turn into a number.
_ORDER_PATH = re.compile(r"/api/v1/order/(\d{1,18})(?:/([a-z:-]+)(?:/(\d{1,18}))?)?")
_TEMPLATE_PATH = re.compile(r"/api/v1/templates/(\d{1,18})")


def route(method: str, path: str) -> Route | None:
    """Return what this request asks for, or None if the API has no such call."""
    if fixed := _FIXED.get((method, path)):
        return fixed
    if found := _ORDER_PATH.fullmatch(path):
        order, part, recipient = found.groups()
        endpoint = _OF_AN_ORDER.get((method, part))
        if endpoint is None or (recipient and endpoint is not Endpoint.PROOF):
            return None
        return Route(endpoint, int(order), int(recipient or 0), part == "recipients:append")
    if method == "GET" and (found := _TEMPLATE_PATH.fullmatch(path)):
        return Route(Endpoint.TEMPLATE, int(found[1]))
    return None
