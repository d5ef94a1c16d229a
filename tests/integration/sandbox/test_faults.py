from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from conftest import Person, Sandbox

CREATE = {"endpoint": "create_order"}


def _create(sandbox: Sandbox, read: float = 5) -> httpx.Response:
    return sandbox.vendor.post("/order", json={"templateId": 1001}, timeout=httpx.Timeout(5, read=read))


def _answers(sandbox: Sandbox) -> bool:
    try:
        return sandbox.vendor.get("/me").is_success
    except httpx.ConnectError:
        return False


def _made(sandbox: Sandbox, act: Callable[[], object]) -> int:
    before: int = sandbox.totals()["created"]
    act()
    after: int = sandbox.totals()["created"]
    return after - before


@pytest.mark.parametrize(
    ("rule", "error", "made"),
    [
        ({"kind": "refuse"}, httpx.TransportError, 0),
        ({"kind": "cut_before"}, httpx.RemoteProtocolError, 0),
        ({"kind": "cut_after"}, httpx.RemoteProtocolError, 1),
        ({"kind": "truncate"}, httpx.RemoteProtocolError, 1),
        ({"kind": "hang", "applied": False}, httpx.ReadTimeout, 0),
        ({"kind": "hang", "applied": True}, httpx.ReadTimeout, 1),
    ],
)
def test_a_call_that_gets_no_answer_was_applied_or_not_as_its_fault_says(
    sandbox: Sandbox, rule: dict[str, object], error: type[Exception], made: int
) -> None:
    sandbox.faults({**CREATE, **rule, "count": 1})

    def lose() -> None:
        with pytest.raises(error):
            _create(sandbox, read=0.3)

    assert _made(sandbox, lose) == made
    assert _create(sandbox).status_code == HTTPStatus.OK


def test_a_truncated_answer_promises_its_whole_length_and_holds_half(sandbox: Sandbox) -> None:
    sandbox.faults({"endpoint": "me", "kind": "truncate", "count": 1})

    with (
        sandbox.vendor.stream("GET", "/me") as answer,
        pytest.raises(httpx.RemoteProtocolError, match="complete message body"),
    ):
        answer.read()

    assert answer.status_code == HTTPStatus.OK
    assert 0 < answer.num_bytes_downloaded < int(answer.headers["content-length"])


@pytest.mark.parametrize(("kind", "made"), [("error_before", 0), ("error_after", 1)])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_comes_before_or_after_the_call_is_applied(
    sandbox: Sandbox, kind: str, made: int, status: int
) -> None:
    sandbox.faults({**CREATE, "kind": kind, "status": status})

    answers: list[httpx.Response] = []

    assert _made(sandbox, lambda: answers.append(_create(sandbox))) == made
    assert answers[0].status_code == status


def test_too_many_requests_says_how_long_to_wait(sandbox: Sandbox) -> None:
    sandbox.faults({**CREATE, "kind": "too_many", "retryAfter": 7, "count": 1})

    answer = _create(sandbox)

    assert (answer.status_code, answer.headers["retry-after"]) == (HTTPStatus.TOO_MANY_REQUESTS, "7")


def test_a_slow_call_is_answered_in_the_end(sandbox: Sandbox) -> None:
    sandbox.faults({**CREATE, "kind": "slow", "seconds": 0.3, "count": 1})
    began = time.monotonic()

    answer = _create(sandbox)

    assert answer.status_code == HTTPStatus.OK
    assert time.monotonic() - began >= 0.3


def test_a_slow_call_takes_effect_although_its_caller_gave_up(sandbox: Sandbox) -> None:
    sandbox.faults({**CREATE, "kind": "slow", "seconds": 0.4, "count": 1})
    before = sandbox.totals()["created"]

    with pytest.raises(httpx.ReadTimeout):
        _create(sandbox, read=0.1)

    assert sandbox.totals()["created"] == before
    deadline = time.monotonic() + 5
    while sandbox.totals()["created"] == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_rule_spares_the_first_calls_and_strikes_as_often_as_it_says(sandbox: Sandbox) -> None:
    sandbox.faults({**CREATE, "kind": "error_before", "after": 1, "count": 2})

    assert [_create(sandbox).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    (rule,) = sandbox.told(sandbox.control.get("/faults"))["faults"]
    assert (rule["matched"], rule["fired"]) == (5, 2)
    sandbox.control.delete("/faults").raise_for_status()
    assert sandbox.told(sandbox.control.get("/faults"))["faults"] == []


def test_chances_are_drawn_from_a_seed_and_so_come_again(sandbox: Sandbox) -> None:
    def drawn(seed: int) -> list[int]:
        sandbox.control.delete("/faults").raise_for_status()
        sandbox.faults({"endpoint": "*", "kind": "error_before", "probability": 0.5, "seed": seed})
        return [sandbox.vendor.get("/me").status_code for _ in range(24)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert set(drawn(3)) == {200, 500}


def test_a_partial_append_reports_those_it_left_out(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft()
    sandbox.faults({"endpoint": "append_recipients", "kind": "partial", "fraction": 0.4})
    people = [person(number) for number in range(1, 11)]

    told = sandbox.payload(sandbox.vendor.put(f"/order/{order}/recipients", json=people))

    assert told["acceptedRecipients"] == 4
    assert (
        told["undeliverable"]["invalidAddress"] == len(told["undeliverable"]["undeliverableRecipients"]) == 6
    )
    assert len(sandbox.row(order, showRecipients="true")["recipients"]) == 4


def test_a_silent_partial_append_claims_more_than_it_took(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft()
    sandbox.faults({"endpoint": "append_recipients", "kind": "partial", "fraction": 0.4, "silent": True})
    people = [person(number) for number in range(1, 11)]

    told = sandbox.payload(sandbox.vendor.put(f"/order/{order}/recipients", json=people))

    assert told["acceptedRecipients"] == 10
    assert len(sandbox.row(order, showRecipients="true")["recipients"]) == 4


def test_a_double_settlement_charges_twice_for_one_piece(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    sandbox.faults({"endpoint": "checkout", "kind": "double_settle", "count": 1})

    sandbox.checkout(order).raise_for_status()
    sandbox.later(advanceSeconds=31)

    (kept,) = [one for one in sandbox.ledger()["orders"] if one["id"] == order]
    assert len(kept["charges"]) == 2
    (account,) = sandbox.payload(sandbox.vendor.get("/order/transaction", params={"Id": order}))["orders"]
    assert len(account["transactions"]) == 2


def test_a_requote_changes_the_price_from_then_on(sandbox: Sandbox, person: Person) -> None:
    order, other = sandbox.draft(person()), sandbox.draft(person())
    sandbox.faults({"endpoint": "summary", "kind": "requote", "factor": 2, "after": 1, "count": 1})

    def charged(number: int) -> float:
        told: float = sandbox.payload(sandbox.vendor.get(f"/order/{number}/checkout"))["totalCharges"]
        return told

    assert [charged(order) for _ in range(3)] == [3.7, 7.4, 7.4]
    assert charged(other) == 3.7


def test_a_quote_can_change_between_summary_and_checkout(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())
    sandbox.faults({"endpoint": "checkout", "kind": "requote", "factor": "1.5"})
    balance = sandbox.payload(sandbox.vendor.get(f"/order/{order}/checkout"))["balance"]

    sandbox.checkout(order).raise_for_status()

    (kept,) = [one for one in sandbox.ledger()["orders"] if one["id"] == order]
    assert float(kept["checkouts"][0]["due"]) > balance


@pytest.mark.parametrize(
    "rule",
    [
        {"endpoint": "create_order", "kind": "explode"},
        {"endpoint": "nowhere", "kind": "hang"},
        {"endpoint": "create_order", "kind": "decline"},
        {"endpoint": "*", "kind": "partial"},
        {"endpoint": "*", "kind": "hang", "often": 2},
    ],
)
def test_a_rule_that_cannot_be_played_is_refused(sandbox: Sandbox, rule: dict[str, object]) -> None:
    answer = sandbox.control.post("/faults", json=rule)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["error"]
    assert sandbox.told(sandbox.control.get("/faults"))["faults"] == []


def test_a_closed_port_refuses_connections_and_opens_again_with_nothing_lost(sandbox: Sandbox) -> None:
    order = sandbox.draft()

    sandbox.told(sandbox.control.post("/listen", json={"seconds": 1}))

    with pytest.raises(httpx.ConnectError):
        sandbox.vendor.get("/me")
    deadline = time.monotonic() + 10
    while not _answers(sandbox):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert sandbox.row(order)["status"] == "Draft"
