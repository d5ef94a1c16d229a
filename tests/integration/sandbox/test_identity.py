from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Person, Sandbox, Start


def test_arbitrary_ids_are_unique_do_not_rise_and_survive_a_restart(start: Start, person: Person) -> None:
    sandbox = start()
    rising = sandbox.draft(person(1))
    sandbox.change(orderIds="arbitrary", recipientIds="arbitrary", orderOfRows="oldest")

    orders = [sandbox.draft(person(1), person(2), person(3)) for _ in range(4)]
    sandbox.kill()
    sandbox.start()
    sandbox.kill()
    sandbox.start()
    orders += [sandbox.draft(person(1), person(2), person(3)) for _ in range(4)]

    ids = [one["id"] for order in orders for one in sandbox.people(order)]
    assert len(set(orders)) == 8
    assert len(set(ids)) == 24
    assert orders != sorted(orders)
    assert [row["id"] for row in sandbox.payload(sandbox.vendor.get("/order"))["orders"]] == [
        rising,
        *orders,
    ]


def test_people_with_arbitrary_ids_are_listed_by_id_and_not_as_they_were_sent(
    sandbox: Sandbox, person: Person
) -> None:
    sandbox.change(recipientIds="arbitrary")
    order = sandbox.draft(*(person(number) for number in range(1, 20)))

    people = sandbox.people(order)

    assert [one["id"] for one in people] == sorted(one["id"] for one in people)
    assert [one["personal"]["firstName"] for one in people] != [f"Ann{number}" for number in range(1, 20)]


def test_numbers_rise_again_where_they_left_off(sandbox: Sandbox, person: Person) -> None:
    before = sandbox.draft(person())
    sandbox.change(orderIds="arbitrary", recipientIds="arbitrary")
    sandbox.draft(person())
    sandbox.change(orderIds="rising", recipientIds="rising")
    after = sandbox.draft(person())

    assert before < after < 1_000_000_000
    assert sandbox.people(before)[0]["id"] < sandbox.people(after)[0]["id"] < 1_000_000_000


def test_duplicates_are_looked_for_across_the_order_if_the_operator_says_so(
    sandbox: Sandbox, person: Person
) -> None:
    sandbox.change(deduplicateAcrossOrder=True)
    order = sandbox.draft(person(1))

    told = sandbox.payload(
        sandbox.vendor.put(f"/order/{order}/recipients", json={"recipients": [person(1), person(2)]})
    )

    assert (told["acceptedRecipients"], told["undeliverable"]["duplicated"]) == (1, 1)
    assert len(sandbox.people(order)) == 2


def test_the_alias_that_appends_may_be_gone(sandbox: Sandbox, person: Person) -> None:
    sandbox.change(appendAlias=False)
    order = sandbox.draft()
    body = {"recipients": [person()]}

    alias = sandbox.vendor.put(f"/order/{order}/recipients:append", json=body)

    assert alias.status_code == HTTPStatus.NOT_FOUND
    assert sandbox.people(order) == []
    sandbox.told(sandbox.vendor.put(f"/order/{order}/recipients", json=body))
    assert len(sandbox.people(order)) == 1
