"""The API's description of itself: an OpenAPI document of what the settings make the sandbox serve."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.http.envelopes import LIST_MEMBERS, pascal
from sandbox.http.queries import OLD_NAMES
from sandbox.http.requests import Answer, Call
from sandbox.http.schemas import SCHEMAS, Schema, array, ref
from sandbox.settings import ListMembers, MemberCase, QueryNames, Settings, TemplateEndpoints

_PAGE = ("pageNumber", "pageSize")
_OLD_PAGE = ("Skip", "Take")
_ORDER = "/v1/order/{id}"
# Bodies of requests, which are in camel case whatever the answers are.
_REQUESTS = frozenset({"CreateOrder", "Recipients", "RecipientIds", "Checkout"})


@dataclass(frozen=True, slots=True)
class _Operation:
    """One call: the schemas of its body and its payload, and the names of its query parameters."""

    method: str
    path: str
    name: str
    payload: str
    query: tuple[str, ...] = ()
    body: str | None = None


_OPERATIONS = (
    _Operation("post", "/v1/order", "CreateOrder", "OrderReference", body="CreateOrder"),
    _Operation(
        "get",
        "/v1/order",
        "GetOrders",
        "OrderList",
        ("id", "status", "paid", "product", "postage", "showRecipients", *_PAGE),
    ),
    _Operation("get", "/v1/order/analytics", "GetOrderAnalytics", "AnalyticsList", ("Id",)),
    _Operation("get", "/v1/order/transaction", "GetOrderTransactions", "TransactionList", ("Id",)),
    _Operation("delete", _ORDER, "DeleteOrder", "OrderReference"),
    _Operation("put", f"{_ORDER}/recipients", "AppendOrderRecipients", "AppendResult", body="Recipients"),
    _Operation(
        "put", f"{_ORDER}/recipients:append", "AppendOrderRecipientsAlias", "AppendResult", body="Recipients"
    ),
    _Operation("get", f"{_ORDER}/recipients", "GetOrderRecipients", "RecipientList", ("query", *_PAGE)),
    _Operation(
        "delete", f"{_ORDER}/recipients", "DeleteOrderRecipients", "OrderReference", body="RecipientIds"
    ),
    _Operation("get", f"{_ORDER}/proof", "GetProof", "string"),
    _Operation("get", f"{_ORDER}/proof/{{recipientId}}", "GetRecipientProof", "string"),
    _Operation(
        "get", f"{_ORDER}/checkout", "GetSummary", "Summary", ("postage", "production", "holdUntilDate")
    ),
    _Operation("post", f"{_ORDER}/checkout", "Checkout", "CheckoutResult", body="Checkout"),
    _Operation("get", f"{_ORDER}/recipient-delivery-status", "GetDeliveryStatus", "DeliveryList", _PAGE),
    _Operation("get", "/v1/templates", "GetTemplates", "TemplateList"),
    _Operation("get", "/v1/templates/{id}", "GetTemplate", "Template"),
    _Operation("get", "/v1/fonts", "GetFonts", "FontList"),
    _Operation("get", "/v1/me", "GetMe", "Account"),
)


def describe(call: Call) -> Answer:
    """Return the OpenAPI document."""
    settings = call.world.settings
    paths: dict[str, dict[str, object]] = {}
    for operation in _served(settings):
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, settings)
    document = {
        "openapi": "3.0.1",
        "info": {"title": "LettrLabs sandbox", "version": "v3"},
        "servers": [{"url": "/api"}],
        "paths": paths,
        "components": {
            "schemas": {name: _shown(name, schema, settings) for name, schema in SCHEMAS.items()},
            "securitySchemes": {"ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-KEY"}},
        },
        "security": [{"ApiKey": []}],
    }
    return Answer(document, bare=True)


def _served(settings: Settings) -> Iterator[_Operation]:
    for operation in _OPERATIONS:
        alias = operation.path.endswith(":append")
        template = operation.path.startswith("/v1/templates")
        if alias and not settings.append_alias:
            continue
        if template and settings.template_endpoints is TemplateEndpoints.MISSING:
            continue
        yield operation


def _described(operation: _Operation, settings: Settings) -> dict[str, object]:
    described: dict[str, object] = {
        "operationId": operation.name,
        "parameters": [*_in_path(operation.path), *_in_query(operation, settings)],
        "responses": {"200": {"description": "OK", "content": _json(_answer(operation.payload, settings))}},
    }
    if operation.body is not None:
        described["requestBody"] = {"content": _json(ref(operation.body)), "required": True}
    return described


def _in_path(path: str) -> list[object]:
    names = [part.strip("{}") for part in path.replace(":append", "").split("/") if part.startswith("{")]
    whole: Schema = {"type": "integer", "format": "int64"}
    return [{"name": name, "in": "path", "required": True, "schema": whole} for name in names]


def _in_query(operation: _Operation, settings: Settings) -> list[object]:
    names = operation.query
    if settings.query_names is QueryNames.OLD:
        old = {new: name for name, new in OLD_NAMES.items()}
        kept = [old.get(name, name) for name in names if name not in _PAGE]
        names = (*kept, *(_OLD_PAGE if _PAGE[0] in names else ()))
    return [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]


def _answer(payload: str, settings: Settings) -> Schema:
    if payload == "string":
        return {"type": "string"}
    listed = array({"type": "string"})
    flag: Schema = {"type": "boolean"}
    anything: Schema = {"nullable": True}
    common: Schema = {"payload": ref(payload), "errors": listed, "warnings": listed}
    common |= {"hasErrors": flag, "hasWarnings": flag}
    new = {**common, "errorDetails": array(anything)}
    old = {**common, "profile": anything, "metadata": anything}
    return {"oneOf": [_envelope(new, settings), _envelope(old, settings)]}


def _envelope(members: Schema, settings: Settings) -> Schema:
    return {"type": "object", "properties": _cased(members, settings), "additionalProperties": False}


def _shown(name: str, schema: Schema, settings: Settings) -> Schema:
    if name in _REQUESTS:
        return schema
    missing = settings.list_members is ListMembers.MISSING and name.endswith("List")
    return _renamed(schema, LIST_MEMBERS if missing else frozenset(), settings)


def _renamed(schema: Schema, without: frozenset[str], settings: Settings) -> Schema:
    """Return the schema with its members as the settings write them."""
    shown: Schema = {}
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            members: Schema = {
                name: _renamed(part, frozenset(), settings)
                for name, part in value.items()
                if name not in without
            }
            shown[key] = _cased(members, settings)
        else:
            shown[key] = _renamed(value, without, settings) if isinstance(value, dict) else value
    return shown


def _cased(members: Schema, settings: Settings) -> Schema:
    if settings.member_case is MemberCase.CAMEL:
        return members
    return {pascal(name): value for name, value in members.items()}


def _json(schema: Schema) -> dict[str, object]:
    return {"application/json": {"schema": schema}}
