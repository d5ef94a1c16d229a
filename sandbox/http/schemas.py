"""The members of what the sandbox takes and gives, as schemas of an OpenAPI document."""

from collections.abc import Mapping

from sandbox.domain.recipients import MERGE_FIELDS

Schema = dict[str, object]

_STRING: Schema = {"type": "string", "nullable": True}
_TIME: Schema = {"type": "string", "format": "date-time", "nullable": True}
_INTEGER: Schema = {"type": "integer", "format": "int64"}
_NUMBER: Schema = {"type": "number", "format": "double", "nullable": True}
_BOOLEAN: Schema = {"type": "boolean"}
_NUMBERS: Schema = {"type": "object", "additionalProperties": {"type": "number", "format": "double"}}
_TIMES: Schema = {"type": "object", "additionalProperties": {"type": "string", "format": "date-time"}}
_ANYTHING: Schema = {"type": "object", "additionalProperties": True}


def ref(name: str) -> Schema:
    """Return a reference to a schema of this module."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema) -> Schema:
    """Return the schema of a list, which may be null."""
    return {"type": "array", "items": items, "nullable": True}


def _object(members: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(members), "additionalProperties": False}


def _each(schema: Schema, names: str) -> dict[str, Schema]:
    return dict.fromkeys(names.split(), schema)


_LINES = "address1 address2 city state zipCode"
_NAMES = "firstName lastName toOrganization salutation"
_HEAD = {"orderId": _INTEGER, "status": _STRING}
_AMOUNTS = _each(_NUMBER, "basePrice doubleSided postagePrice extraText expedited")
_LINE = {
    **_each(_NUMBER, "tax rate total"),
    "quantity": _INTEGER,
    **_each(_STRING, "name transactionType transactionSubType"),
    "subItems": array(ref("Line")),
}

SCHEMAS: Mapping[str, Schema] = {
    "Account": _object(
        {
            "id": _INTEGER,
            **_each(_STRING, "aadId email firstName lastName company"),
            "created": _TIME,
            "shouldProcessQrCodes": _BOOLEAN,
        }
    ),
    "CreateOrder": _object({"templateId": _INTEGER}),
    "OrderReference": _object(_HEAD),
    "OrderList": _object({**_HEAD, "orders": array(ref("Order"))}),
    "Order": _object(
        {
            "id": _INTEGER,
            **_each(_TIME, "paidDate mailedDate holdUntilDate"),
            **_each(_STRING, "status postageType productType productionSpeed handwrittenFont qrCodeUrl"),
            "deliveredStatus": _object(_each(_INTEGER, "mailed inTransit atLocalFacility delivered")),
            "recipients": array(ref("FlatRecipient")),
        }
    ),
    "FlatRecipient": _object(
        {
            **_each(_INTEGER, "id orderId"),
            **_each(_STRING, f"{_NAMES} {_LINES} country phoneNumber email {' '.join(MERGE_FIELDS)}"),
            "delivery": _object({"status": _STRING, "updatedDate": _TIME}),
        }
    ),
    "Recipients": _object({"recipients": array(ref("Recipient"))}),
    "RecipientList": _object({**_HEAD, "recipients": array(ref("Recipient"))}),
    "Recipient": _object(
        {
            "id": _INTEGER,
            "address": _object(_each(_STRING, f"{_LINES} zip4 zip2 country")),
            "personal": _object(_each(_STRING, _NAMES)),
            "metadata": _ANYTHING,
        }
    ),
    "RecipientIds": _object({"recipientsIds": array(_INTEGER)}),
    "AppendResult": _object(
        {
            **_HEAD,
            **_each(_INTEGER, "totalRecipients submittedRecipients acceptedRecipients"),
            "deliverable": _object(_each(_INTEGER, "addressValidated addressInvalidated")),
            "undeliverable": _object(
                {
                    **_each(_INTEGER, "duplicated doNotMail invalidAddress"),
                    "undeliverableRecipients": array(ref("UndeliverableRecipient")),
                }
            ),
        }
    ),
    "UndeliverableRecipient": _object({**_each(_ANYTHING, "address personal metadata"), "reason": _STRING}),
    "Summary": _object(
        {
            **_HEAD,
            **dict.fromkeys(("lineItems", "credits"), array(ref("Line"))),
            **_each(_NUMBER, "totalCharges totalTax totalCredits balance"),
            "productionSpeeds": _TIMES,
            **_each(_NUMBERS, "productionSpeedPrices postageTypePrices"),
            **_each(_TIME, "estimatedDeliveryDateMin estimatedDeliveryDateMax"),
        }
    ),
    "Line": _object(_LINE),
    "Checkout": _object(
        {**_each(_STRING, "postageType productionSpeed"), "holdUntilDate": _TIME, "autoBill": _BOOLEAN}
    ),
    "CheckoutResult": _object(
        {
            **_HEAD,
            "orderStatus": _STRING,
            **_each(_INTEGER, "pollAfterSeconds settlementExpectedWithinSeconds"),
        }
    ),
    "DeliveryList": _object(
        {
            **_HEAD,
            "recipients": array(_object({"id": _INTEGER, "status": _STRING, "updatedDate": _TIME})),
        }
    ),
    "AnalyticsList": _object({**_HEAD, "orders": array(ref("Analytics"))}),
    "Analytics": _object(
        {
            **_each(_INTEGER, "orderId totalCards mailed inTransit localFacility delivered"),
            **_each(_INTEGER, "undeliverable waitingUSPS"),
            "qrCode": _object({"totalScans": _INTEGER, "lastScan": _TIME, "recipients": array(_ANYTHING)}),
            **_each(_TIME, "paidDate minEstimatedDeliveredDate maxEstimatedDeliveredDate"),
            **_each(_STRING, "postageType status orderStatus campaignName product productionSpeed"),
        }
    ),
    "TransactionList": _object({**_HEAD, "orders": array(ref("OrderAccount"))}),
    "OrderAccount": _object(
        {
            **_each(_INTEGER, "orderId volume"),
            **_each(_NUMBER, "totalPrice costPerPiece"),
            **_each(_STRING, "orderStatus transactionType transactionSubType"),
            **_each(_TIME, "paidDate createdDate"),
            "isCredit": _BOOLEAN,
            "detail": _object(_AMOUNTS),
            "discount": _object(_AMOUNTS),
            "transactions": array(ref("Transaction")),
        }
    ),
    "Transaction": _object(
        {
            **_each(_INTEGER, "id orderId"),
            "amount": _NUMBER,
            **_each(_STRING, "description transactionType transactionSubType"),
            "createdDate": _TIME,
            "isCredit": _BOOLEAN,
        }
    ),
    "TemplateList": _object({"templates": array(ref("TemplateEntry"))}),
    "TemplateEntry": _object({"id": _INTEGER, **_each(_STRING, "name productType handwrittenFont")}),
    "Template": _object({"id": _INTEGER, **_each(_STRING, "name productType handwrittenFont message")}),
    "FontList": _object({"fonts": array(_object({"id": _INTEGER, "name": _STRING}))}),
}
