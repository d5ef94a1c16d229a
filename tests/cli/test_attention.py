"""What needs a person: shown with what was seen, and resolved from the command line."""

from collections.abc import Callable
from typing import Any


def test_a_declined_payment_is_shown_and_paid_again(
    mailrun: Any, house: Any, some_people: Callable[[int], str]
) -> None:
    mailrun.write("list.csv", some_people(1))
    house.fail("checkout", "decline", count=1)
    sent = mailrun.run("campaign", "send", "list.csv", "--template", "1001", "--yes", "--wait")
    assert sent.code == 1
    assert "needing attention" in sent.err
    listed = mailrun.run("attention", "list", "--json").json()["attention"]
    number = str(listed[0]["mailing_id"])

    shown = mailrun.run("attention", "show", number)
    undecided = mailrun.run("attention", "resolve", number, "--why", "card was renewed")
    resolved = mailrun.run("attention", "resolve", number, "--pay-again", "--why", "card was renewed")
    watched = mailrun.run("campaign", "watch", str(listed[0]["campaign_id"]))

    assert [one["reason_code"] for one in listed] == ["payment_failed"]
    assert "orderStatus" in shown.out
    assert "--pay-again" in shown.out
    assert "exactly one" in undecided.complaint
    assert resolved.code == watched.code == 0
    assert len(house.order(listed[0]["order_id"])["charges"]) == 1
    assert "Nothing needs attention" in mailrun.run("attention", "list").out
    assert (
        "does not need attention"
        in mailrun.run("attention", "resolve", number, "--sent", "--why", "-").complaint
    )
