"""Exports of well-known programs, recognized by their headings.

Most columns of an export are understood by `intake.recipients.fields`, which knows `Shipping City` and `City
(Billing)`. A preset names the export, and says which of its headings mean something else than in other lists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from intake.recipients.fields import Field, Meaning, heading_form

ORDER_NUMBERS: Final = frozenset(
    {
        "ordernumber",
        "orderid",
        "orderno",
        "ordername",
        "order",
        "amazonorderid",
        "saleid",
        "salesrecordnumber",
    }
)
"""Headings of a column that holds an order's number, in the form in which headings are compared."""


@dataclass(frozen=True, slots=True)
class Preset:
    """An export: the headings that it always has, and what differs from the usual meaning of its headings.

    `order` is the heading of the order's number in an export of orders.
    """

    name: str
    has: frozenset[str]
    meanings: Mapping[str, Meaning | None]
    order: str | None = None


def _preset(
    name: str, has: str, /, *, order: str | None = None, **meanings: Field | tuple[Field, str] | None
) -> Preset:
    told = {
        heading: given if given is None else Meaning(*(given if isinstance(given, tuple) else (given,)))
        for heading, given in meanings.items()
    }
    return Preset(name, frozenset(map(heading_form, has.split(", "))), told, order)


# The more particular of two comes first.
PRESETS: Final = (
    _preset(
        "Shopify orders",
        "Name, Financial Status, Lineitem name, Shipping Name, Shipping Zip",
        order="name",
        name=None,
        id=None,
        shippingstreet=None,
        billingstreet=None,
    ),
    _preset("Shopify customers", "First Name, Last Name, Default Address Address1, Default Address Zip"),
    _preset("Shopify customers", "First Name, Last Name, Address1, Province Code, Zip, Total Spent"),
    _preset(
        "WooCommerce orders",
        "Order Number, Order Status, First Name (Billing), Postcode (Billing)",
        order="ordernumber",
    ),
    _preset("WooCommerce orders", "order_id, billing_first_name, billing_postcode", order="orderid"),
    _preset("WooCommerce customers", "billing_first_name, billing_last_name, billing_postcode"),
    _preset(
        "Squarespace orders",
        "Order ID, Financial Status, Lineitem name, Shipping Name, Shipping Zip",
        order="orderid",
    ),
    _preset(
        "Etsy orders",
        "Order ID, Ship Name, Ship Address1, Ship Zipcode",
        order="orderid",
        fullname=None,
        firstname=None,
        lastname=None,
    ),
    _preset(
        "Amazon orders",
        "order-id, recipient-name, ship-address-1, ship-postal-code",
        order="orderid",
        buyername=None,
    ),
    _preset("eBay orders", "Order Number, Ship To Name, Ship To Address 1, Ship To Zip", order="ordernumber"),
    _preset("Salesforce report", "First Name, Last Name, Mailing Street, Mailing City"),
    _preset("Salesforce report", "First Name, Last Name, Mailing Address Line 1, Mailing City"),
    _preset("Salesforce leads", "First Name, Last Name, Company / Account, Street, State/Province"),
    _preset("Square", "First Name, Last Name, Street Address 1, Postal Code, Square Customer ID"),
    _preset("Square", "Reference ID, First Name, Last Name, Street Address 1, Postal Code"),
    _preset(
        "Google Contacts",
        "Address 1 - Street, Address 1 - Postal Code",
        address1formatted=None,
        address2formatted=None,
        address1extendedaddress=(Field.ADDRESS2, "address1"),
    ),
    _preset(
        "Outlook",
        "First Name, Last Name, Home Street, Business Street",
        title=Field.SALUTATION,
        initials=None,
        location=None,
    ),
    _preset("Outlook", "First Name, Last Name, Home Street, Home Postal Code", title=Field.SALUTATION),
    _preset("Stripe payments", "Amount, Card Name, Card Address Line1, Card Address Zip"),
    _preset("Stripe customers", "Card Address Line1, Card Address Zip"),
    _preset("Stripe payments", "Shipping Name, Shipping Address Line1, Shipping Address Postal Code"),
    _preset("Mailchimp", "Email Address, MEMBER_RATING, OPTIN_TIME", region=None, cc=None),
    _preset("Mailchimp", "Email Address, OPTIN_TIME, LEID, EUID", region=None, cc=None),
    _preset("QuickBooks", "Customer, Open Balance"),
    _preset("QuickBooks", "Customer full name, Bill address"),
    _preset("QuickBooks", "Customer, Balance Total"),
    _preset("Constant Contact", "Email address, Street address line 1 - Home, Zip/Postal Code - Home"),
    _preset("Constant Contact", "Email address, Street address line 1 - Work, Zip/Postal Code - Work"),
    _preset("Klaviyo", "Klaviyo ID, Email"),
    _preset("Klaviyo", "Email, Email Marketing Consent"),
    _preset("HubSpot", "Record ID, First Name, Last Name"),
    _preset("HubSpot companies", "Record ID, Company name, Street Address", name=None),
    _preset("Pipedrive", "Person - Name, Person - Postal address", personpostaladdress=Field.FULL_ADDRESS),
    _preset("PayPal", "Transaction ID, Address Line 1, Zip/Postal Code, Name"),
    _preset("Zoho CRM", "First Name, Last Name, Mailing Street, Mailing Zip"),
    _preset(
        "Wix",
        "First Name, Last Name, Address 1 - Street, Address 1 - Zip",
        address1streetline2=(Field.ADDRESS2, "address1"),
    ),
)


def preset_of(headings: Sequence[str]) -> Preset | None:
    """Return the export that has these headings, or None if it is no known one."""
    forms = set(map(heading_form, headings))
    return next((preset for preset in PRESETS if preset.has <= forms), None)


def order_column(headings: Sequence[str], preset: Preset | None) -> int | None:
    """Return where the number of an order stands, or None if the list is none of orders."""
    forms = [heading_form(heading) for heading in headings]
    if preset and preset.order:
        return forms.index(preset.order)
    return next((at for at, form in enumerate(forms) if form in ORDER_NUMBERS), None)
