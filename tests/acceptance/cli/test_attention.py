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


def test_what_waits_for_a_person_is_in_one_place_with_the_commands_that_answer_it(
    mailrun: Any, house: Any, some_people: Callable[[int], str]
) -> None:
    mailrun.write("list.csv", some_people(2))
    send = ("campaign", "send", "list.csv", "--template", "1001")
    mailrun.run(
        *send, "--approval", "required", "--batch-size", "1", "--key", "waits", "--name", "Spring offer"
    )
    waits = mailrun.run("campaign", "list", "--limit", "1", "--json").json()["campaigns"][0]
    mailrun.run("campaign", "watch", str(waits["id"]))
    mailrun.write("other.csv", some_people(1).replace("Oak St", "Elm St"))
    house.fail("checkout", "decline", count=1)
    mailrun.run("campaign", "send", "other.csv", "--template", "1001", "--yes", "--wait")

    listed = mailrun.run("attention", "list", "--json").json()
    checked = mailrun.run("doctor", "--json").json()
    shown = mailrun.run("attention", "list", COLUMNS="40").out
    doctor = mailrun.run("doctor").out

    (approval,) = (one for one in listed["approvals"] if one["campaign_id"] == waits["id"])
    attention = listed["attention"][-1]
    assert (approval["mailings"], approval["campaign"]) == (2, "Spring offer")
    assert attention["reason_code"] == "payment_failed"
    commands = [one["command"] for one in approval["actions"] + attention["actions"]]
    for start in ("campaign approve", "reject", "reschedule", "campaign cancel", "attention resolve"):
        assert any(command.startswith(f"mailrun {start} ") for command in commands)
    assert f'mailrun attention resolve {attention["mailing_id"]} --pay-again --why "reason"' in commands
    assert checked["approvals"] == listed["approvals"]
    assert checked["attention"] == listed["attention"]
    for command in commands:
        assert f"  {command}\n" in shown
        assert f"  {command}\n" in doctor
    reschedule = next(command for command in commands if command.startswith("mailrun reschedule"))
    assert mailrun.run(*reschedule.split()[1:]).code == 0
    assert mailrun.run("campaign", "cancel", str(waits["id"])).code == 0
    assert mailrun.run("cancel", str(attention["mailing_id"])).code == 0


def test_what_has_ended_is_said_to_have_ended(mailrun: Any, some_people: Callable[[int], str]) -> None:
    mailrun.write("list.csv", some_people(1))
    mailrun.run("campaign", "send", "list.csv", "--template", "1001", "--yes", "--wait", "--name", "Over")
    one = mailrun.run("campaign", "list", "--limit", "1", "--json").json()["campaigns"][0]
    number = str(one["id"])
    (order,) = mailrun.run("mailing", "list", "--campaign", number, "--json").json()["mailings"]

    for command in ("pause", "resume", "cancel"):
        ran = mailrun.run("campaign", command, number)
        assert "has ended" in ran.complaint
        assert ran.code == 1
    late = mailrun.run("reschedule", str(order["id"]), "--send-at", "2035-01-01T09:00")

    assert (late.code, "too late: it is paid" in late.err) == (1, True)
    ledger = mailrun.run("ledger", "--json").json()["ledger"]
    assert next(line["name"] for line in ledger if line["label"] == number) == "Over"
    assert one["paid_at"]
    assert "last paid" in mailrun.run("campaign", "show", number).out
    assert f"{one['paid_at'][:10]}" in mailrun.run("campaign", "list", "--limit", "1").out


def test_people_on_our_own_lists_are_not_counted_as_refused_by_the_vendor(
    mailrun: Any, some_people: Callable[[int], str]
) -> None:
    people = some_people(2)
    first = people.splitlines()[1].split(",")
    name, address, zip_code = f"{first[0]} {first[1]}", first[2], first[5]
    mailrun.run("suppress", "add", "--name", name, "--address", address, "--zip", zip_code)
    mailrun.write("list.csv", people)

    mailrun.run("campaign", "send", "list.csv", "--template", "1001", "--yes", "--wait")

    one = mailrun.run("campaign", "list", "--limit", "1", "--json").json()["campaigns"][0]
    shown = mailrun.run("campaign", "show", str(one["id"])).out
    assert (one["accepted"], one["refused"], one["spared"]) == (1, 0, 1)
    assert "1 accepted, 0 refused" in shown
    assert "by your suppression lists" in shown
