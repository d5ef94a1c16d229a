from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from sandbox import DEFAULT_KEY

if TYPE_CHECKING:
    from conftest import Sandbox, Start


def _bodies(sandbox: Sandbox, key: str | None) -> tuple[set[int], list[str]]:
    headers = {} if key is None else {"X-API-KEY": key}
    with sandbox.client("/api/v1", headers) as stranger:
        answers = [stranger.get("/me") for _ in range(3)]
    return {answer.status_code for answer in answers}, [answer.text for answer in answers]


@pytest.mark.parametrize("key", [None, "", "LL-API-other"])
def test_a_wrong_key_gets_401_with_a_string_an_envelope_or_nothing(sandbox: Sandbox, key: str | None) -> None:
    statuses, bodies = _bodies(sandbox, key)

    assert statuses == {HTTPStatus.UNAUTHORIZED}
    assert sorted(body[:1] for body in bodies) == ["", '"', "{"]


def test_a_key_without_a_plan_gets_403_with_an_object_an_envelope_or_nothing(sandbox: Sandbox) -> None:
    statuses, bodies = _bodies(sandbox, "LL-API-noplan")

    assert statuses == {HTTPStatus.FORBIDDEN}
    assert sum("authenticationSchemes" in body for body in bodies) == 1
    assert sum("errors" in body for body in bodies) == 1
    assert "" in bodies


def test_a_key_of_ones_own_replaces_the_default(start: Start) -> None:
    sandbox = start("--api-key", "LL-API-mine")

    assert sandbox.vendor.get("/me").status_code == HTTPStatus.UNAUTHORIZED
    assert sandbox.vendor.get("/me", headers={"X-API-KEY": "LL-API-mine"}).status_code == HTTPStatus.OK


def test_both_envelopes_are_in_use_and_every_answer_has_a_request_id(sandbox: Sandbox) -> None:
    answers = [sandbox.vendor.get("/me") for _ in range(4)]

    new = {"payload", "errors", "errorDetails", "warnings", "hasErrors", "hasWarnings"}
    old = {"profile", "payload", "errors", "hasErrors", "warnings", "hasWarnings", "metadata"}
    assert {frozenset(answer.json()) for answer in answers} == {frozenset(new), frozenset(old)}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4


def test_payload_status_says_success_or_draft_whatever_the_order_is(sandbox: Sandbox) -> None:
    order = sandbox.draft()

    said = {sandbox.payload(sandbox.vendor.get(f"/order/{order}/recipients"))["status"] for _ in range(6)}

    assert said == {"Draft", "Success"}


def test_templates_can_be_listed_and_read(sandbox: Sandbox) -> None:
    templates = sandbox.payload(sandbox.vendor.get("/templates"))["templates"]

    assert [one["id"] for one in templates] == [1001, 1002, 1003, 1004, 1005]
    assert sandbox.payload(sandbox.vendor.get("/templates/1002"))["name"] == "Postcard"
    assert sandbox.vendor.get("/templates/7").status_code == HTTPStatus.NOT_FOUND
    assert sandbox.payload(sandbox.vendor.get("/fonts"))["fonts"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/order/500001"),
        ("POST", "/order/1/proof"),
        ("PUT", "/order/x/recipients"),
        ("GET", "/nothing"),
    ],
)
def test_a_path_the_api_does_not_have_is_404(sandbox: Sandbox, method: str, path: str) -> None:
    assert sandbox.vendor.request(method, path).status_code == HTTPStatus.NOT_FOUND


def test_a_body_that_is_not_json_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.vendor.post("/order", content=b'{"templateId":')

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["hasErrors"] is True


def test_the_control_api_needs_no_key_and_explains_what_it_refuses(sandbox: Sandbox) -> None:
    assert "X-API-KEY" not in sandbox.control.headers
    assert DEFAULT_KEY not in sandbox.control.get("/ledger").text

    wrong = sandbox.control.post("/clock", json={"advanceSeconds": -1})

    assert wrong.status_code == HTTPStatus.BAD_REQUEST
    assert "advanceSeconds" in wrong.json()["error"]
    assert sandbox.control.get("/nothing").status_code == HTTPStatus.NOT_FOUND
