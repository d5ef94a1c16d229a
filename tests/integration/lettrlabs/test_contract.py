"""What the vendor's OpenAPI document must show for the client to work."""

from typing import Any

import pytest

from lettrlabs import LettrLabs
from lettrlabs.contract import RELIED_ON, Difference, Weight, compare

# The scripted vendor of conftest.py, a class that pytest's importlib mode leaves without a name to import.
Vendor = Any


def schema(members: tuple[str, ...]) -> dict[str, Any]:
    """Return a schema in which these dotted members are, every level a list of objects."""
    heads: dict[str, list[str]] = {}
    for member in members:
        head, _, rest = member.partition(".")
        heads.setdefault(head, []).extend([rest] if rest else [])
    properties = {
        head: {"type": "array", "items": schema(tuple(rest))} if rest else {"type": "string"}
        for head, rest in heads.items()
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def content(described: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": described}}}


@pytest.fixture
def document() -> dict[str, Any]:
    """Return a document that shows all that the client relies on."""
    paths: dict[str, Any] = {}
    for call in RELIED_ON:
        path = "/api" + call.path.replace("{}", "{anyName}")
        envelope = {"type": "object", "properties": {"payload": schema(call.answer), "hasErrors": {}}}
        paths.setdefault(path, {})[call.method] = {
            "parameters": [{"name": name, "in": "query"} for name in call.query],
            "requestBody": content(schema(call.body)),
            "responses": {"200": content(envelope)},
        }
    return {"openapi": "3.0.1", "paths": paths}


def test_a_document_that_shows_everything_has_no_differences(document: Any) -> None:
    assert compare(document) == []


def test_a_missing_call_breaks_mail(document: Any) -> None:
    del document["paths"]["/api/v1/order/{anyName}/checkout"]["post"]

    assert compare(document) == [Difference(Weight.BREAKS, "POST /v1/order/{id}/checkout", "the call itself")]


@pytest.mark.parametrize("path", ["/api/v1/order/{anyName}/recipients:append", "/api/v1/templates"])
def test_a_missing_call_that_can_be_done_without_is_a_note(path: str, document: Any) -> None:
    del document["paths"][path]

    assert [one.weight for one in compare(document)] == [Weight.NOTE]


def test_a_missing_member_is_named(document: Any) -> None:
    operation = document["paths"]["/api/v1/order/{anyName}/checkout"]["get"]
    payload = operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["payload"]
    del payload["properties"]["balance"]

    assert compare(document) == [
        Difference(Weight.BREAKS, "GET /v1/order/{id}/checkout", "the answer's member balance")
    ]


def test_a_missing_query_parameter_is_named(document: Any) -> None:
    document["paths"]["/api/v1/order/transaction"]["get"]["parameters"] = []

    assert [one.missing for one in compare(document)] == ["the query parameter Id"]


def test_the_older_names_of_pages_are_understood(document: Any) -> None:
    document["paths"]["/api/v1/order/{anyName}/recipients"]["get"]["parameters"] = [
        {"name": "Skip"},
        {"name": "Take"},
    ]

    assert compare(document) == []


def test_references_are_followed_and_pascal_case_is_understood(document: Any) -> None:
    operation = document["paths"]["/api/v1/order"]["post"]
    document["components"] = {
        "schemas": {"Created": {"allOf": [{"properties": {"OrderId": {"type": "integer"}}}]}}
    }
    operation["responses"]["200"] = content(
        {"oneOf": [{"properties": {"Payload": {"$ref": "#/components/schemas/Created"}}}]}
    )

    assert compare(document) == []


def test_a_circle_of_references_ends(document: Any) -> None:
    document["components"] = {"schemas": {"A": {"$ref": "#/components/schemas/A"}}}
    document["paths"]["/api/v1/order"]["post"]["responses"]["200"] = content(
        {"$ref": "#/components/schemas/A"}
    )

    assert [one.weight for one in compare(document)] == [Weight.NOTE]


def test_an_answer_that_is_not_described_is_a_note(document: Any) -> None:
    document["paths"]["/api/v1/order"]["post"]["responses"] = {"200": {"description": "OK"}}

    assert [(one.weight, one.missing) for one in compare(document)] == [
        (Weight.NOTE, "the answer is not described")
    ]


@pytest.mark.parametrize("other", [{}, {"paths": None}, {"paths": []}, {"swagger": "2.0", "paths": {}}])
def test_another_document_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not an OpenAPI document"):
        compare(other)


def test_the_document_is_asked_for_where_the_vendor_serves_it(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(body={"openapi": "3.0.1", "paths": {}}))

    assert client.openapi()["openapi"] == "3.0.1"
    assert vendor.heard[0].target == "/api/openapi/v3.json"
