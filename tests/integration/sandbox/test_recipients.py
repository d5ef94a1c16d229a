from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Person, Sandbox


def _put(sandbox: Sandbox, order: int, *people: object, alias: str = "") -> dict[str, Any]:
    return sandbox.payload(
        sandbox.vendor.put(f"/order/{order}/recipients{alias}", json={"recipients": people})
    )


def _names(sandbox: Sandbox, order: int, **query: object) -> list[str]:
    listed = sandbox.payload(sandbox.vendor.get(f"/order/{order}/recipients", params=query))
    return [one["personal"]["firstName"] for one in listed["recipients"]]


def test_a_repeated_put_appends_everybody_again(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person(1), person(2))

    again = _put(sandbox, order, person(1), person(2))

    assert again["acceptedRecipients"] == 2
    assert again["undeliverable"]["duplicated"] == 0
    assert _names(sandbox, order) == ["Ann1", "Ann2", "Ann1", "Ann2"]


def test_put_may_be_made_to_replace_but_the_alias_always_appends(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person(1))
    sandbox.control.post("/settings", json={"replaceOnPut": True}).raise_for_status()

    _put(sandbox, order, person(2))
    _put(sandbox, order, person(3), alias=":append")

    assert _names(sandbox, order) == ["Ann2", "Ann3"]


def test_a_bare_array_is_taken_too(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft()

    sandbox.payload(sandbox.vendor.put(f"/order/{order}/recipients", json=[person()]))

    assert _names(sandbox, order) == ["Ann1"]


def test_a_thousand_fit_in_one_request_and_not_one_more(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft()
    people = [person(number) for number in range(1, 1002)]

    refused = sandbox.vendor.put(f"/order/{order}/recipients", json={"recipients": people})
    taken = _put(sandbox, order, *people[:1000])

    assert refused.status_code == HTTPStatus.BAD_REQUEST
    assert refused.json()["reasonCode"] == "TooManyRecipients"
    assert taken["acceptedRecipients"] == 1000


@pytest.mark.parametrize("body", [{}, {"recipients": []}, {"recipients": "all"}, 7, None])
def test_a_request_without_people_is_refused(sandbox: Sandbox, body: object) -> None:
    order = sandbox.draft()

    assert sandbox.vendor.put(f"/order/{order}/recipients", json=body).status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"address1": " "}, "Missing address1"),
        ({"city": None}, "Missing city"),
        ({"state": ""}, "Missing state"),
        ({"zipCode": None}, "Missing zipCode"),
        ({"state": "XX"}, "Invalid state"),
        ({"zipCode": "7870"}, "Invalid zipCode: 5 or 9 digits expected"),
        ({"zipCode": "ABCDE"}, "Invalid zipCode: 5 or 9 digits expected"),
        ({"zipCode": "10001"}, "zipCode does not match state"),
        ({"address1": "0 Oak Street"}, "Address is undeliverable"),
        ({"address1": "5 Undeliverable Way"}, "Address is undeliverable"),
    ],
)
def test_a_bad_address_is_reported_with_its_reason_and_not_taken(
    sandbox: Sandbox, person: Person, changes: dict[str, Any], reason: str
) -> None:
    order = sandbox.draft()

    told = _put(sandbox, order, person(1, **changes), person(2))

    (refused,) = told["undeliverable"]["undeliverableRecipients"]
    assert refused["reason"] == reason
    assert refused["personal"]["firstName"] == "Ann1"
    assert told["undeliverable"]["invalidAddress"] == 1
    assert _names(sandbox, order) == ["Ann2"]


def test_the_counts_of_a_mixed_request_add_up(sandbox: Sandbox, person: Person) -> None:
    sandbox.control.post("/settings", json={"doNotMail": [{"firstName": "ann4"}]}).raise_for_status()
    respelled = person(1, address1="1 OAK ST.", firstName="ANN1")
    people = [
        person(1),
        respelled,
        person(2, lastName="Donotmail"),
        person(3, state="XX"),
        person(4),
        "nobody",
    ]
    order = sandbox.draft()

    told = _put(sandbox, order, *people)

    missed = told["undeliverable"]
    assert told["submittedRecipients"] == 6
    assert told["acceptedRecipients"] == told["totalRecipients"] == 1
    assert told["deliverable"] == {"addressValidated": 1, "addressInvalidated": 0}
    assert (missed["duplicated"], missed["doNotMail"], missed["invalidAddress"]) == (1, 2, 2)
    assert len(missed["undeliverableRecipients"]) == 5


def test_addresses_come_back_normalised_and_the_ledger_keeps_them_as_sent(
    sandbox: Sandbox, person: Person
) -> None:
    order = sandbox.draft(person(12, city="austin", zipCode="78701-4321"))

    listed = sandbox.payload(sandbox.vendor.get(f"/order/{order}/recipients"))["recipients"]

    (address,) = [one["address"] for one in listed]
    assert (address["address1"], address["city"]) == ("12 OAK ST", "AUSTIN")
    assert (address["zipCode"], address["zip4"]) == ("78701", "4321")
    (kept,) = [one for one in sandbox.ledger()["orders"] if one["id"] == order]
    assert kept["recipients"][0]["address1"] == "12 Oak Street"
    assert kept["recipients"][0]["id"] == listed[0]["id"]


def test_people_are_listed_in_pages_and_can_be_searched(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(*(person(number) for number in range(1, 6)))

    assert _names(sandbox, order, pageNumber=1, pageSize=2) == ["Ann3", "Ann4"]
    assert _names(sandbox, order, pageNumber=3, pageSize=2) == []
    assert _names(sandbox, order, query="ann5") == ["Ann5"]


def test_people_are_taken_off_by_their_ids_which_are_not_given_again(
    sandbox: Sandbox, person: Person
) -> None:
    order = sandbox.draft(person(1), person(2))
    listed = sandbox.payload(sandbox.vendor.get(f"/order/{order}/recipients"))["recipients"]
    gone = {"recipientsIds": [listed[1]["id"], 7]}

    for _ in range(2):
        sandbox.told(sandbox.vendor.request("DELETE", f"/order/{order}/recipients", json=gone))
    _put(sandbox, order, person(3))

    assert _names(sandbox, order) == ["Ann1", "Ann3"]
    now = sandbox.payload(sandbox.vendor.get(f"/order/{order}/recipients"))["recipients"]
    assert now[1]["id"] > listed[1]["id"]
    for wrong in ({}, {"recipientsIds": ["1"]}, []):
        answer = sandbox.vendor.request("DELETE", f"/order/{order}/recipients", json=wrong)
        assert answer.status_code == HTTPStatus.BAD_REQUEST
