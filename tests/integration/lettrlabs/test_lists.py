"""A list that cannot be read whole is unreadable: it is never taken for an empty or a shorter one."""

from collections.abc import Callable
from typing import Any

import pytest

from lettrlabs import LettrLabs, Unavailable

# The scripted vendor of conftest.py, a class that pytest's importlib mode leaves without a name to import.
Vendor = Any

LISTS: dict[str, Callable[[LettrLabs], object]] = {
    "order": lambda client: client.order(5),
    "orders": lambda client: client.orders([5]),
    "iter_orders": lambda client: list(client.iter_orders()),
    "recipients": lambda client: list(client.iter_recipients(5)),
    "delivery_status": lambda client: client.delivery_status(5),
    "transactions": lambda client: client.transactions([5]),
    "analytics": lambda client: client.analytics([5]),
    "templates": lambda client: client.templates(),
}


def people(*ids: int) -> dict[str, object]:
    return {"recipients": [{"id": one, "address": {"address1": "x"}} for one in ids]}


@pytest.mark.parametrize(
    "payload",
    [{}, {"orderId": 5, "status": "Draft"}, None, {"rows": []}, {"orders": None, "recipients": None}],
)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_without_its_member_is_unreadable(
    name: str, payload: object, vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(vendor.pays(payload))

    with pytest.raises(Unavailable, match="could not be read"):
        LISTS[name](client)


def test_an_order_without_its_list_of_transactions_is_unreadable(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.pays({"orders": [{"orderId": 5, "totalPrice": 3.3}]}))

    with pytest.raises(Unavailable, match="could not be read"):
        client.transactions([5])


def test_an_answer_in_pascal_case_reads_as_one_in_camel_case(vendor: Vendor, client: LettrLabs) -> None:
    person = {
        "Id": 8,
        "Personal": {"FirstName": "Ada", "LastName": "L"},
        "Address": {"Address1": "1 Ada Way", "ZipCode": "01234"},
    }
    vendor.then(
        vendor.says(body={"Payload": {"Orders": [{"ID": 5, "Status": "Paid"}]}, "HasErrors": False}),
        vendor.says(body={"Payload": {"Recipients": [person]}, "HasErrors": False}),
        vendor.says(body={"Payload": {"Orders": [{"OrderId": 5, "Transactions": [{"Amount": 3.3}]}]}}),
        vendor.says(
            body={
                "Payload": {
                    "TotalCharges": 2,
                    "Balance": 2,
                    "ProductionSpeeds": {"Normal": "2026-12-01T00:00:00Z"},
                }
            }
        ),
        vendor.says(body={"Payload": [{"Id": 3, "Name": "Card"}]}),
    )

    order = client.order(5)
    assert order is not None
    assert order.status == "Paid"
    (there,) = client.iter_recipients(5)
    assert (there.first_name, there.last_name, there.address1, there.zip_code) == (
        "Ada",
        "L",
        "1 Ada Way",
        "01234",
    )
    assert len(client.transactions([5])[0].transactions) == 1
    assert "Normal" in client.summary(5, postage="Standard", production="Normal").production_dates
    assert client.templates()[0].name == "Card"


def test_errors_in_pascal_case_are_errors(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(vendor.says(200, {"Payload": {"OrderId": 0}, "HasErrors": True, "Errors": ["No"]}))

    assert type(client.create_order(1001)).__name__ == "Rejected"


def test_pages_are_asked_for_by_the_older_names_where_the_newer_ones_are_ignored(
    vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(
        vendor.pays(people(*range(1, 101))),
        vendor.pays(people(*range(1, 101))),
        vendor.pays(people(*range(101, 201))),
        vendor.pays(people(*range(201, 204))),
    )

    assert len(list(client.iter_recipients(5))) == 203
    assert [one.target.partition("?")[2] for one in vendor.heard] == [
        "pageNumber=0&pageSize=500",
        "pageNumber=1&pageSize=500",
        "Skip=100&Take=500",
        "Skip=200&Take=500",
    ]


def test_a_list_whose_second_page_never_comes_is_unreadable(vendor: Vendor, client: LettrLabs) -> None:
    vendor.then(*[vendor.pays(people(*range(1, 101)))] * 3)

    with pytest.raises(Unavailable, match="repeats a page"):
        list(client.iter_recipients(5))


def test_a_repeated_page_is_the_whole_list_where_the_caller_knows_of_no_more(
    vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(*[vendor.pays(people(*range(1, 101)))] * 2)

    assert len(list(client.iter_recipients(5, expected=100))) == 100


@pytest.mark.parametrize("expected", [101, 5000])
def test_a_repeated_page_is_not_the_whole_list_where_the_caller_knows_of_more(
    expected: int, vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(*[vendor.pays(people(*range(1, 101)))] * 3)

    with pytest.raises(Unavailable, match="repeats a page"):
        list(client.iter_recipients(5, expected=expected))


def test_a_server_that_ignores_pages_and_returns_everything_is_believed(
    vendor: Vendor, client: LettrLabs
) -> None:
    vendor.then(*[vendor.pays(people(*range(1, 704)))] * 2)

    assert len(list(client.iter_recipients(5))) == 703
