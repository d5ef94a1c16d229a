from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Person, Sandbox


def _document(sandbox: Sandbox) -> dict[str, Any]:
    with sandbox.client("/api") as stranger:
        return sandbox.told(stranger.get("/openapi/v3.json"))


def _differences(document: dict[str, Any], schema: dict[str, Any], value: Any, where: str = "") -> list[str]:
    """Return the members that an answer has and the document does not describe, or the other way round."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "oneOf" in schema:
        return min((_differences(document, one, value, where) for one in schema["oneOf"]), key=len)
    if isinstance(value, list):
        return [told for one in value for told in _differences(document, schema["items"], one, where + "[]")]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    members = schema["properties"]
    parts = {name: (members[name], value[name]) for name in members.keys() & value.keys()}
    return [f"{where}.{name}" for name in members.keys() ^ value.keys()] + [
        told
        for name, (part, claimed) in parts.items()
        for told in _differences(document, part, claimed, f"{where}.{name}")
    ]


def _calls(sandbox: Sandbox, person: Person) -> list[tuple[str, str, dict[str, Any]]]:
    """Return each call of the API with what it answers to an order that was made for it."""
    order = sandbox.draft()
    path, told = f"/order/{order}", []
    put = {"recipients": [person(1), person(2, address1="0 Nowhere")]}
    checkout = {"postageType": "Standard", "productionSpeed": "Normal", "autoBill": True}
    for method, made, described, body in (
        ("post", "/order", "/v1/order", {"templateId": 1001}),
        ("put", f"{path}/recipients", "/v1/order/{id}/recipients", put),
        ("get", f"{path}/recipients", "/v1/order/{id}/recipients", None),
        ("get", f"{path}/checkout", "/v1/order/{id}/checkout", None),
        ("delete", f"{path}/recipients", "/v1/order/{id}/recipients", {"recipientsIds": []}),
        ("post", f"{path}/checkout", "/v1/order/{id}/checkout", checkout),
        ("get", f"{path}/recipient-delivery-status", "/v1/order/{id}/recipient-delivery-status", None),
        ("get", "/order?showRecipients=true", "/v1/order", None),
        ("get", f"/order/analytics?Id={order}", "/v1/order/analytics", None),
        ("get", f"/order/transaction?Id={order}", "/v1/order/transaction", None),
        ("get", "/templates", "/v1/templates", None),
        ("get", "/templates/1001", "/v1/templates/{id}", None),
        ("get", "/fonts", "/v1/fonts", None),
        ("get", "/me", "/v1/me", None),
    ):
        told.append((method, described, sandbox.told(sandbox.vendor.request(method, made, json=body))))
    other = sandbox.draft()
    told.append(("delete", "/v1/order/{id}", sandbox.told(sandbox.vendor.delete(f"/order/{other}"))))
    return told


@pytest.mark.parametrize("settings", [{}, {"listMembers": "missing"}, {"memberCase": "pascal"}])
def test_the_openapi_document_describes_exactly_what_is_served(
    sandbox: Sandbox, person: Person, settings: dict[str, str]
) -> None:
    sandbox.change(settleSeconds=0)
    paid = sandbox.draft(person())
    sandbox.checkout(paid).raise_for_status()
    calls = _calls(sandbox, person)
    if settings:
        sandbox.change(**settings)
        reads = [(method, path) for method, path, _ in calls if method == "get" and "{" not in path]
        calls = [
            (method, path, sandbox.told(sandbox.vendor.get(f"{path[3:]}?Id={paid}&showRecipients=true")))
            for method, path in reads
        ]
    document = _document(sandbox)

    wrong = {
        f"{method} {path}": found
        for method, path, answer in calls
        if (
            found := _differences(
                document,
                document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"],
                answer,
            )
        )
    }
    assert wrong == {}


def test_the_openapi_document_needs_no_key_and_follows_the_settings(sandbox: Sandbox) -> None:
    before = _document(sandbox)
    sandbox.change(appendAlias=False, templateEndpoints="missing", queryNames="old")

    after = _document(sandbox)

    gone = {"/v1/order/{id}/recipients:append", "/v1/templates", "/v1/templates/{id}"}
    assert before["paths"].keys() - after["paths"].keys() == gone
    names = {one["name"] for one in after["paths"]["/v1/order"]["get"]["parameters"]}
    assert names >= {"OrderIds", "OrderStatus", "Skip", "Take"}
    assert not names & {"id", "status", "pageNumber", "pageSize"}


def test_members_may_be_written_in_pascal_case(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    sandbox.change(memberCase="pascal")

    told = sandbox.told(sandbox.vendor.get(f"/order/{order}/recipients"))
    refused = sandbox.vendor.delete("/order/7").json()

    (recipient,) = told["Payload"]["Recipients"]
    assert recipient["Address"]["ZipCode"] == "78701"
    assert refused["HasErrors"] is True
    assert refused["ReasonCode"] == "OrderNotFound"


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/order", "orders"),
        ("/order/{}/recipients", "recipients"),
        ("/order/{}/recipient-delivery-status", "recipients"),
        ("/order/analytics", "orders"),
        ("/order/transaction", "orders"),
        ("/templates", "templates"),
    ],
)
def test_a_list_may_come_without_its_member(sandbox: Sandbox, path: str, member: str) -> None:
    order = sandbox.draft()
    path = path.format(order)
    assert member in sandbox.payload(sandbox.vendor.get(path))

    sandbox.change(listMembers="missing")

    assert member not in sandbox.payload(sandbox.vendor.get(path))


def test_only_the_old_names_of_parameters_may_be_understood(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(*(person(number) for number in range(1, 8)))
    other = sandbox.draft()
    normal = sandbox.payload(sandbox.vendor.get(f"/order/{order}/checkout"))["balance"]
    sandbox.change(queryNames="old")

    def listed(path: str, **query: object) -> list[int]:
        payload = sandbox.payload(sandbox.vendor.get(path, params=query))
        return [one["id"] for one in payload.get("orders", payload.get("recipients"))]

    def price(**query: object) -> float:
        told = sandbox.payload(sandbox.vendor.get(f"/order/{order}/checkout", params=query))
        return float(told["balance"])

    everyone = listed(f"/order/{order}/recipients")
    assert listed("/order", OrderIds=order) == [order]
    assert other in listed("/order", id=order)
    assert listed(f"/order/{order}/recipients", pageNumber=1, pageSize=5) == everyone
    assert listed(f"/order/{order}/recipients", Skip=5, Take=5) == everyone[5:]
    assert price(postage="FirstClass") == normal < price(PostageType="FirstClass")


def test_new_names_alone_are_understood_by_default(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person(1), person(2))

    told = sandbox.vendor.get(f"/order/{order}/recipients", params={"Skip": 1, "skip": 1, "Take": 1})

    assert len(sandbox.payload(told)["recipients"]) == 2


@pytest.mark.parametrize(
    ("answer", "status"), [("forbidden", HTTPStatus.FORBIDDEN), ("missing", HTTPStatus.NOT_FOUND)]
)
def test_templates_may_be_closed_while_orders_can_be_made(
    sandbox: Sandbox, answer: str, status: HTTPStatus
) -> None:
    sandbox.change(templateEndpoints=answer)

    assert sandbox.vendor.get("/templates").status_code == status
    assert sandbox.vendor.get("/templates/1001").status_code == status
    assert sandbox.draft()


def test_answers_may_carry_warnings(sandbox: Sandbox) -> None:
    assert sandbox.told(sandbox.vendor.get("/me"))["hasWarnings"] is False

    sandbox.change(warnings=True)

    for _ in range(2):
        told = sandbox.told(sandbox.vendor.get("/me"))
        assert told["hasWarnings"] is True
        assert told["warnings"]
        assert told["errors"] == []


@pytest.mark.parametrize("template", [1001, 1002, 1003])
def test_a_proof_may_be_unpadded_url_safe_or_begin_with_a_newline(
    sandbox: Sandbox, person: Person, template: int
) -> None:
    order = sandbox.draft(person(), template=template)

    def proof(encoding: str) -> str:
        sandbox.change(proofEncoding=encoding)
        return str(sandbox.vendor.get(f"/order/{order}/proof").json())

    plain = base64.b64decode(proof("standard"), validate=True)
    unpadded = proof("unpadded")
    padding = "=" * (-len(unpadded) % 4)
    safe = proof("urlSafe")

    assert padding
    assert base64.b64decode(unpadded + padding).rstrip() == plain.rstrip()
    assert set(safe) & {"-", "_"}
    assert base64.urlsafe_b64decode(safe) == plain
    assert base64.b64decode(proof("leadingNewline")) == b"\n" + plain
