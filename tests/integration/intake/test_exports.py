"""What the exports of shops, mailers and address books become, each as its program writes it."""

from pathlib import Path
from typing import Final, NamedTuple

import pytest

from intake.csv.columns import Columns, match_columns
from intake.csv.importer import people
from intake.csv.table import Table
from intake.reasons import ReasonCode
from intake.recipients.rows import MailableRow

EXPORTS: Final = Path(__file__).with_name("exports")
ANN: Final = ("Ann", "Lee", "12 Oak St", "Apt 4", "Boston", "MA", "02108")
BO: Final = ("Bo", "Kim", "9 Elm Rd", None, "Reno", "NV", "89501")


class Read(NamedTuple):
    columns: Columns
    people: list[MailableRow]
    rejected: list[tuple[int, ReasonCode]]
    further: int


def read(name: str) -> Read:
    with Table.open(EXPORTS / name) as table:
        columns = match_columns(table.headings)
        blocks = list(people(table, columns))
    return Read(
        columns,
        [MailableRow._make(one) for block in blocks for one in block.people],
        [(one.row.number, one.reasons[0].code) for block in blocks for one in block.rejected],
        sum(block.further for block in blocks),
    )


def home(one: MailableRow) -> tuple[str | None, ...]:
    return one.first_name, one.last_name, one.address1, one.address2, one.city, one.state, one.zip_code


@pytest.mark.parametrize(
    ("file", "export", "homes"),
    [
        ("shopify_customers.csv", "Shopify customers", [ANN, BO]),
        ("shopify_customers_old.csv", "Shopify customers", [ANN]),
        ("shopify_orders.csv", "Shopify orders", [ANN, BO]),
        ("shopify_orders_old.csv", "Shopify orders", [ANN, BO]),
        ("salesforce_report.csv", "Salesforce report", [(*ANN[:2], "12 Oak St Apt 4", None, *ANN[4:]), BO]),
        ("square.csv", "Square", [ANN, BO]),
        ("google_contacts.csv", "Google Contacts", [("Ann", "Lee Jr.", *ANN[2:]), BO]),
        ("google_contacts_old.csv", "Google Contacts", [ANN]),
        ("outlook.csv", "Outlook", [ANN, ("Bo", "Kim Jr.", *BO[2:])]),
        (
            "woocommerce_orders.csv",
            "WooCommerce orders",
            [(*ANN[:2], "12 Oak St, Apt 4", None, *ANN[4:]), BO],
        ),
        ("woocommerce_customers.csv", "WooCommerce customers", [ANN]),
        ("stripe_customers.csv", "Stripe customers", [ANN]),
        ("stripe_payments.csv", "Stripe payments", [ANN]),
        ("mailchimp.csv", "Mailchimp", [ANN, BO]),
        ("quickbooks.csv", "QuickBooks", [(*ANN[:2], "12 Oak St Apt 4", None, *ANN[4:]), BO]),
        ("quickbooks_report.csv", "QuickBooks", [ANN, (*BO[:2], "9 Elm Rd.", *BO[3:])]),
        ("constant_contact.csv", "Constant Contact", [(*ANN[:2], "12 Oak St Apt 4", None, *ANN[4:]), BO]),
        ("klaviyo.csv", "Klaviyo", [ANN]),
        ("hubspot.csv", "HubSpot", [(*ANN[:2], "12 Oak St Apt 4", None, *ANN[4:]), BO]),
        ("etsy_orders.csv", "Etsy orders", [ANN]),
        ("amazon_orders.txt", "Amazon orders", [ANN]),
    ],
)
def test_an_export_is_recognized_and_its_people_are_mailed_at_home_with_nothing_printed(
    file: str, export: str, homes: list[tuple[str | None, ...]]
) -> None:
    found = read(file)

    assert found.columns.preset == export
    assert [home(one) for one in found.people] == homes
    assert {one.merge for one in found.people} == {b"\x01{}"}


def test_every_export_file_has_its_test() -> None:
    assert len(list(EXPORTS.iterdir())) == 21


def test_internal_numbers_and_balances_are_left_out_by_name() -> None:
    assert "Record ID" in read("hubspot.csv").columns.left_out
    assert "Open Balance" in read("quickbooks.csv").columns.left_out


@pytest.mark.parametrize(
    ("file", "further"),
    [
        ("shopify_orders.csv", 2),
        ("shopify_orders_old.csv", 1),
        ("woocommerce_orders.csv", 1),
        ("amazon_orders.txt", 1),
    ],
)
def test_the_further_lines_of_an_order_are_neither_people_nor_rejected(file: str, further: int) -> None:
    found = read(file)

    assert (found.further, found.rejected) == (further, [])


def test_who_lives_abroad_and_who_has_no_address_is_rejected_with_the_row() -> None:
    assert read("shopify_customers.csv").rejected == [(4, ReasonCode.UNKNOWN_STATE)]
    assert read("mailchimp.csv").rejected == [(4, ReasonCode.NO_ADDRESS)]


def test_an_order_number_is_no_name_whatever_the_list() -> None:
    with Table.open(EXPORTS / "klaviyo.csv") as table:
        assert match_columns(table.headings).preset == "Klaviyo"
    columns = match_columns(["Name", "Address", "City", "State", "ZIP"])
    assert columns.preset is None
