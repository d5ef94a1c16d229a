"""The parts of the vendor's OpenAPI document that this client relies on, compared with what a document says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_MOST_REFERENCES: Final = 20
_COMBINED: Final = ("allOf", "oneOf", "anyOf")
# Where the vendor's two generations of names differ, the client sends or understands both.
_OTHER_NAMES: Final = {
    "pageNumber": ("Skip",),
    "pageSize": ("Take",),
    "postage": ("PostageType",),
    "production": ("ProductionSpeed",),
    "id": ("OrderIds",),
    "status": ("OrderStatus",),
}


class Weight(StrEnum):
    """What a difference means for mail."""

    BREAKS = "breaks"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the client relies on and the document does not show."""

    weight: Weight
    call: str
    missing: str


@dataclass(frozen=True, slots=True)
class _Call:
    """One call: its query parameters, and the members of its body and its answer, as dotted paths."""

    method: str
    path: str
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    optional: bool = False


_PAGE: Final = ("pageNumber", "pageSize")
_PEOPLE: Final = tuple(
    f"recipients.{name}"
    for name in (
        "address.address1",
        "address.address2",
        "address.city",
        "address.state",
        "address.zipCode",
        "personal.firstName",
        "personal.lastName",
        "personal.toOrganization",
        "metadata.custom1",
    )
)
_APPENDED: Final = ("totalRecipients", "undeliverable.undeliverableRecipients")

RELIED_ON: Final = (
    _Call("get", "/v1/me"),
    _Call("post", "/v1/order", body=("templateId",), answer=("orderId",)),
    _Call(
        "get",
        "/v1/order",
        query=("id", "status", *_PAGE),
        answer=("orders.id", "orders.status", "orders.paidDate"),
    ),
    _Call("delete", "/v1/order/{}"),
    _Call("put", "/v1/order/{}/recipients", body=_PEOPLE, answer=_APPENDED),
    _Call("put", "/v1/order/{}/recipients:append", body=_PEOPLE, answer=_APPENDED, optional=True),
    _Call("get", "/v1/order/{}/recipients", query=_PAGE, answer=("recipients.id", *_PEOPLE[:-1])),
    _Call("delete", "/v1/order/{}/recipients", body=("recipientsIds",)),
    _Call("get", "/v1/order/{}/proof"),
    _Call("get", "/v1/order/{}/proof/{}"),
    _Call(
        "get",
        "/v1/order/{}/checkout",
        query=("postage", "production", "holdUntilDate"),
        answer=(
            "lineItems.quantity",
            "lineItems.total",
            "credits.total",
            "totalCharges",
            "totalTax",
            "totalCredits",
            "balance",
            "productionSpeeds",
        ),
    ),
    _Call(
        "post",
        "/v1/order/{}/checkout",
        body=("postageType", "productionSpeed", "holdUntilDate", "autoBill"),
        answer=("orderId",),
    ),
    _Call("get", "/v1/order/{}/recipient-delivery-status", answer=("recipients.status",), optional=True),
    _Call(
        "get",
        "/v1/order/analytics",
        query=("Id",),
        answer=("orders.orderId", "orders.orderStatus"),
        optional=True,
    ),
    _Call(
        "get",
        "/v1/order/transaction",
        query=("Id",),
        answer=(
            "orders.orderId",
            "orders.volume",
            "orders.transactions.id",
            "orders.transactions.amount",
            "orders.transactions.isCredit",
        ),
    ),
    _Call("get", "/v1/templates", optional=True),
    _Call("get", "/v1/templates/{}", optional=True),
)


def compare(document: Mapping[str, Any]) -> list[Difference]:
    """Return what the client relies on and an OpenAPI document does not show.

    Raises ValueError for another document.
    """
    described = document.get("paths")
    if not isinstance(described, dict) or not described:
        raise ValueError("not an OpenAPI document: it has no paths")
    paths = {_normal(path): item for path, item in described.items() if isinstance(item, dict)}
    return [one for call in RELIED_ON for one in _differences(_Document(document), paths, call)]


def _normal(path: str) -> str:
    """Return a path from its version on, its parameters without their names."""
    steps = ("/v1/" + path.partition("/v1/")[2] if "/v1/" in path else path).rstrip("/").split("/")
    return "/".join("{}" + step.partition("}")[2] if step.startswith("{") else step for step in steps)


def _differences(
    document: "_Document", paths: Mapping[str, dict[str, Any]], call: _Call
) -> Iterator[Difference]:
    name = f"{call.method.upper()} {call.path.replace('{}', '{id}')}"
    weight = Weight.NOTE if call.optional else Weight.BREAKS
    item = paths.get(call.path, {})
    operation = item.get(call.method)
    if not isinstance(operation, dict):
        yield Difference(weight, name, "the call itself")
        return
    given = {
        str(document.resolved(one).get("name", "")).casefold()
        for one in [*_listed(item.get("parameters")), *_listed(operation.get("parameters"))]
    }
    for wanted in call.query:
        if not given & {one.casefold() for one in (wanted, *_OTHER_NAMES.get(wanted, ()))}:
            yield Difference(weight, name, f"the query parameter {wanted}")
    for what, wanted_members, schema in (
        ("body", call.body, document.body_of(operation)),
        ("answer", call.answer, document.answer_of(operation)),
    ):
        if wanted_members and schema is None:
            yield Difference(Weight.NOTE, name, f"the {what} is not described")
            continue
        for member in wanted_members:
            if schema is not None and not document.has(schema, member.split(".")):
                yield Difference(weight, name, f"the {what}'s member {member}")


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


class _Document:
    """An OpenAPI document whose references are followed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def resolved(self, schema: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
        """Return a schema, or what it refers to within the document."""
        for _ in range(_MOST_REFERENCES):
            if not isinstance(schema, dict):
                return {}
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                return schema
            schema = self._document
            for step in reference.removeprefix("#/").split("/"):
                schema = schema.get(step) if isinstance(schema, Mapping) else None
        return {}

    def body_of(self, operation: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the schema of a call's body, None if it is not described."""
        return self._schema(operation.get("requestBody"))

    def answer_of(self, operation: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the schema of an answer's payload, None if it is not described."""
        answers = operation.get("responses")
        found = (
            next((one for code, one in (answers or {}).items() if str(code).startswith("2")), None)
            if isinstance(answers, dict)
            else None
        )
        schema = self._schema(found)
        if schema is None:
            return None
        return next((self.resolved(one) for name, one in self._members(schema) if name == "payload"), schema)

    def has(self, schema: Mapping[str, Any], member: list[str]) -> bool:
        """Return whether a schema has a member, lists seen through, or says that any member may be there."""
        schema = self.resolved(schema)
        while schema.get("type") == "array" or "items" in schema:
            schema = self.resolved(schema.get("items"))
        if not member:
            return True
        members = dict(self._members(schema))
        if not members:
            return schema.get("additionalProperties") is not False
        found = members.get(member[0].casefold())
        return found is not None and self.has(self.resolved(found), member[1:])

    def _members(self, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        parts = [one for name in _COMBINED for one in _listed(schema.get(name))]
        for part in (schema, *map(self.resolved, parts)):
            properties = part.get("properties")
            for name, one in properties.items() if isinstance(properties, dict) else ():
                yield name.casefold(), one

    def _schema(self, described: Any) -> dict[str, Any] | None:  # noqa: ANN401 - as above
        content = self.resolved(described).get("content")
        kinds = content if isinstance(content, dict) else {}
        found = next((one for kind, one in kinds.items() if "json" in kind and isinstance(one, dict)), None)
        schema = self.resolved(found.get("schema")) if found else {}
        return schema or None
