"""The question before money moves: what is shown, what an answer does, and what is bound."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

SomePeople = Callable[[int], str]
SEND = ("campaign", "send", "list.csv", "--template", "1001", "--batch-size", "2")


@pytest.fixture
def waiting(mailrun: Any, some_people: SomePeople) -> str:
    """Return a campaign of two orders and four people that waits for approval, one row of its file rejected."""
    mailrun.write("list.csv", some_people(4) + "Nobody,Home,1 Oak Street,Springfield,IL,,no ZIP\n")
    mailrun.run(*SEND, "--approval", "required")
    number = str(campaign(mailrun)["id"])
    mailrun.run("campaign", "watch", number)
    assert campaign(mailrun)["status"] == "approval"
    return number


def campaign(mailrun: Any) -> Any:
    return mailrun.run("campaign", "list", "--limit", "1", "--json").json()["campaigns"][0]


def orders(mailrun: Any, number: str) -> Any:
    listed = mailrun.run("mailing", "list", "--campaign", number, "--json").json()["mailings"]
    return sorted(listed, key=lambda one: int(one["id"]))


@pytest.mark.parametrize("keys", ["\n", "l\n", "no\n", "\x04"], ids=["Enter", "later", "no", "end of input"])
def test_a_price_that_is_not_agreed_to_waits_and_says_what_to_type_later(
    keys: str, mailrun: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(2))

    asked, type_in = mailrun.ask(*SEND)
    asked.wait_for("[y]es, [l]ater, [c]ancel")
    type_in(keys)

    assert asked.end() == 0
    number = campaign(mailrun)["id"]
    assert f"`mailrun campaign approve {number}`" in asked.said()
    assert f"`mailrun campaign cancel {number}`" in asked.said()
    assert campaign(mailrun)["status"] == "approval"


def test_ctrl_c_at_the_price_leaves_it_waiting_and_says_what_to_type_later(
    mailrun: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(2))

    asked, type_in = mailrun.ask(*SEND)
    asked.wait_for("[y]es, [l]ater, [c]ancel")
    type_in("what\n")
    asked.wait_for("Answer y, l or c.")
    asked.interrupt()

    assert asked.end() == 130
    last = asked.err.read_text().splitlines()[-1]
    assert last.startswith("mailrun: Nothing is approved and nothing is paid.")
    assert f"`mailrun campaign approve {campaign(mailrun)['id']}`" in last
    assert campaign(mailrun)["status"] == "approval"


def test_an_approval_shows_the_quote_of_all_orders_and_asks(mailrun: Any, waiting: str) -> None:
    each = [Decimal(one["quoted"]) for one in orders(mailrun, waiting)]

    asked, type_in = mailrun.ask("campaign", "approve", waiting, "--orders")
    asked.wait_for("[y]es, [l]ater, [c]ancel")
    offered = asked.said()
    type_in("y\n")

    assert asked.end() == 0
    assert len(each) == 2
    assert f"SANDBOX: send 4 pieces in 2 orders for ${sum(each):.2f}?" in offered
    assert "Quote of 2 orders" in offered
    assert "4 of 4 are mailed; 1 row of the list rejected before" in offered
    assert "expected 20" in offered
    assert "Proof of the first of 2 orders: /" in offered
    assert all(str(one["order_id"]) in offered for one in orders(mailrun, waiting))
    assert mailrun.run("campaign", "watch", waiting).code == 0
    assert campaign(mailrun)["status"] == "sent"


def test_without_a_terminal_nothing_is_approved_unless_yes_is_said(mailrun: Any, waiting: str) -> None:
    numbers = [str(one["id"]) for one in orders(mailrun, waiting)]

    for unasked in (mailrun.run("campaign", "approve", waiting), mailrun.run("approve", *numbers)):
        assert unasked.complaint.startswith("stdin is not a terminal: add --yes to approve")
        assert unasked.code == 2
    assert campaign(mailrun)["status"] == "approval"
    agreed = mailrun.run("approve", *numbers, "--yes")

    assert agreed.code == 0
    assert "Quote of 2 orders" in agreed.out
    assert agreed.out.count(": approved by ") == 2


def test_an_offer_that_changes_while_a_person_reads_it_is_not_approved_at_all(
    mailrun: Any, waiting: str
) -> None:
    first, second = (str(one["id"]) for one in orders(mailrun, waiting))
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")

    asked, type_in = mailrun.ask("approve", first, second)
    asked.wait_for("[y]es, [l]ater, [c]ancel")
    assert mailrun.run("reschedule", second, "--send-at", tomorrow).code == 0
    type_in("y\n")

    assert asked.end() == 1
    assert f"mailing {second} is not any more what was shown; nothing was approved" in asked.said()
    assert [one["approved_at"] for one in orders(mailrun, waiting)] == [None, None]


def test_what_does_not_wait_is_named_and_the_rest_is_approved(mailrun: Any, waiting: str) -> None:
    first, second = (str(one["id"]) for one in orders(mailrun, waiting))
    mailrun.run("cancel", second)

    ran = mailrun.run("approve", first, second, "999999", "--yes")

    assert ran.code == 1
    assert f"mailing {second}: does not wait for approval" in ran.err
    assert "mailing 999999: does not wait for approval" in ran.err
    assert f"mailing {first}: approved by " in ran.out
