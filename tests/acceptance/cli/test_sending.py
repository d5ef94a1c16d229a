"""A list sent from the command line, beside a running `mailrun up`."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

SomePeople = Callable[[int], str]


def numbers(mailrun: Any, campaign_id: int) -> list[int]:
    listed = mailrun.run("mailing", "list", "--campaign", str(campaign_id), "--json").json()["mailings"]
    return sorted(one["order_id"] for one in listed if one["order_id"])


def newest(mailrun: Any) -> Any:
    return mailrun.run("campaign", "list", "--limit", "1", "--json").json()["campaigns"][0]


def test_a_list_sent_with_yes_is_paid_and_everybody_gets_one_piece(
    mailrun: Any, house: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(25) + "Nobody,Home,1 Oak Street,Springfield,IL,,no ZIP\n")

    ran = mailrun.run(
        "campaign", "send", "list.csv", "--template", "1001", "--batch-size", "10", "--yes", "--wait"
    )

    assert ran.code == 0, ran.err
    assert ran.err.startswith("SANDBOX at ")
    assert "25 people in 3 orders" in ran.out
    assert "custom1 = custom1" in " ".join(ran.out.split())
    assert "list.rejected.csv" in mailrun.files()
    one = newest(mailrun)
    assert (one["status"], one["accepted"], one["rejected"]) == ("sent", 25, 1)
    orders = [house.order(number) for number in numbers(mailrun, one["id"])]
    pieces = Counter(person["lastName"] for order in orders for person in order["recipients"])
    assert set(pieces.values()) == {1}
    assert pieces.total() == 25
    assert [len(order["charges"]) for order in orders] == [1, 1, 1]


def test_the_same_list_twice_is_one_campaign(mailrun: Any, some_people: SomePeople) -> None:
    mailrun.write("list.csv", some_people(1))
    send = ("campaign", "send", "list.csv", "--template", "1001", "--yes")

    first, second = mailrun.run(*send), mailrun.run(*send)

    assert "Queued as campaign" in first.out
    assert "submitted before" in second.out
    assert second.code == 0
    assert "people got template 1001 from campaign" in mailrun.run(*send, "--postage", "FirstClass").complaint


def test_a_list_saved_anew_with_more_people_stops_until_the_command_says_who_gets_it(
    mailrun: Any, some_people: SomePeople
) -> None:
    first, *more = some_people(3).splitlines()
    mailrun.write("list.csv", "\n".join([first, *more[:2]]) + "\n")
    mailrun.write("anew.csv", "\r\n".join([first, *reversed(more)]) + "\r\n")
    send = ("campaign", "send", "anew.csv", "--template", "1001")
    mailrun.run("campaign", "send", "list.csv", "--template", "1001", "--yes")
    number = newest(mailrun)["id"]

    stopped = mailrun.run(*send, "--yes")
    asked, type_in = mailrun.ask(*send)
    asked.wait_for("or [n]obody?")
    type_in("n\n")
    refused = asked.end()
    added = mailrun.run(*send, "--yes", "--again", "new")

    assert f"2 of these 3 people got template 1001 from campaign {number}, " in stopped.complaint
    assert "--again new to mail only the other 1, or --again everybody" in stopped.complaint
    assert (stopped.code, refused) == (1, 1)
    assert "[o]nly the 1 new person" in asked.said()
    assert "1 person in 1 order" in added.out
    assert newest(mailrun)["people"] == 1


def test_a_list_that_is_scheduled_says_when_and_how_it_gets_another_time(
    mailrun: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(1))
    later = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
    send = ("campaign", "send", "list.csv", "--template", "1001", "--yes", "--send-at")
    mailrun.run(*send, f"{later}T09:00")
    campaign = newest(mailrun)["id"]

    same, other = mailrun.run(*send, f"{later}T09:00"), mailrun.run(*send, f"{later}T10:00")
    cancelled = mailrun.run("campaign", "cancel", str(campaign))

    for told in (same.out, other.complaint):
        assert f"Campaign {campaign} is scheduled for " in told
        assert "mailrun reschedule " in told
    assert (same.code, other.code, cancelled.code) == (0, 1, 0)


def test_a_person_sees_proof_and_price_and_says_yes(mailrun: Any, some_people: SomePeople) -> None:
    mailrun.write("list.csv", some_people(4))

    asked, type_in = mailrun.ask("campaign", "send", "list.csv", "--template", "1001", "--batch-size", "2")
    offer = asked.wait_for("?")
    type_in("y\n")

    assert asked.end() == 0
    assert "SANDBOX: send 4 pieces in 2 orders for $" in offer
    assert "Standard postage" in offer
    proof = next(line for line in offer.splitlines() if line.startswith("Proof")).partition(": ")[2]
    with open(proof, "rb") as file:  # noqa: PTH123 - the path as it was printed
        assert file.read(5) == b"%PDF-"
    one = newest(mailrun)
    assert one["status"] == "sent"
    assert one["charged"] == one["quoted"]


def test_a_person_cancels_and_nothing_is_left_at_the_vendor(
    mailrun: Any, house: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(2))

    asked, type_in = mailrun.ask("campaign", "send", "list.csv", "--template", "1001", "--batch-size", "1")
    asked.wait_for("?")
    type_in("c\n")

    assert asked.end() == 0
    assert "a worker deletes its draft" in asked.said()
    one = newest(mailrun)
    assert mailrun.run("campaign", "watch", str(one["id"])).code == 0
    assert newest(mailrun)["status"] == "cancelled"
    orders = [house.order(number) for number in numbers(mailrun, one["id"])]
    assert [(order["deleted"], order["charges"]) for order in orders] == [(True, [])] * 2


def test_a_list_that_was_cancelled_is_not_taken_for_sent_when_it_is_sent_again(
    mailrun: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(1))
    send = ("campaign", "send", "list.csv", "--template", "1001", "--yes", "--wait")
    mailrun.run(*send[:-2], "--approval", "required", "--key", "k")
    number = str(newest(mailrun)["id"])
    mailrun.run("campaign", "cancel", number)
    mailrun.run("campaign", "watch", number)

    again = mailrun.run(*send[:-2], "--approval", "required", "--key", "k")

    assert f"campaign {number} has been cancelled" in again.complaint
    assert mailrun.run(*send, "--key", "another").code == 0


def test_a_mailing_with_dates_is_told_to_programs_as_well(mailrun: Any, some_people: SomePeople) -> None:
    mailrun.write("list.csv", some_people(1))
    later = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
    mailrun.run(
        *("campaign", "send", "list.csv", "--template", "1001", "--approval", "required"),
        *("--hold-until", later, "--hold-mode", "vendor"),
    )

    campaign = str(newest(mailrun)["id"])
    (listed,) = mailrun.run("mailing", "list", "--campaign", campaign, "--json").json()["mailings"]
    shown = mailrun.run("mailing", "show", str(listed["id"]), "--json").json()["mailing"]

    assert listed["hold_until"] == shown["hold_until"] == later
    assert mailrun.run("campaign", "cancel", campaign).code == 0


def test_why_a_campaign_waits_is_told_where_it_is_followed_and_shown(
    mailrun: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(2))
    send = ("campaign", "send", "list.csv", "--template", "1001", "--batch-size", "1")

    sent = mailrun.run(*send, "--budget", "0.50", "--yes", "--wait")
    shown = mailrun.run("campaign", "show", str(newest(mailrun)["id"]))

    assert sent.code == 1
    for told in (sent.err, shown.out):
        assert "(and 1 other): the budget of campaign" in told


def test_an_interrupted_wait_says_that_the_campaign_is_queued(
    mailrun: Any, house: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(1))
    house.fail("create_order", "error_before", status=503)

    asked, _ = mailrun.ask("campaign", "send", "list.csv", "--template", "1001")
    asked.wait_for("at create")
    asked.interrupt()

    assert asked.end() == 130
    one = newest(mailrun)
    assert f"Campaign {one['id']} is queued" in asked.said()
    assert mailrun.run("campaign", "cancel", str(one["id"])).code == 0


def test_a_paused_campaign_rests_until_it_is_resumed(mailrun: Any, some_people: SomePeople) -> None:
    mailrun.write("list.csv", some_people(1))

    assert mailrun.run("pause").code == 0
    mailrun.run("campaign", "send", "list.csv", "--template", "1001", "--yes")
    one = newest(mailrun)
    number = str(one["id"])
    paused = mailrun.run("campaign", "pause", number)
    mailrun.run("resume")

    assert paused.code == 0
    assert mailrun.run("campaign", "show", number, "--json").json()["campaign"]["status"] == "paused"
    assert "goes on" in mailrun.run("campaign", "resume", number).err
    assert mailrun.run("campaign", "watch", number).code == 0


def test_a_mailing_shows_its_story_and_names_nobody_unasked(mailrun: Any, some_people: SomePeople) -> None:
    mailrun.write("list.csv", some_people(2))
    mailrun.run("campaign", "send", "list.csv", "--template", "1001", "--yes", "--wait")
    listed = mailrun.run("mailing", "list", "--campaign", str(newest(mailrun)["id"]), "--json").json()
    number = str(listed["mailings"][0]["id"])

    shown = mailrun.run("mailing", "show", number)
    told = mailrun.run("mailing", "show", number, "--json").json()
    with_people = mailrun.run("mailing", "show", number, "--people")

    for part in ("Timeline", "Quote", "People", "Charges", "Calls to LettrLabs"):
        assert part in shown.out
    assert "First0" not in shown.out
    assert "First0" in with_people.out
    assert "people" not in told
    assert told["vendor"] == "sandbox"
    assert told["quote"]["total"] == told["mailing"]["charged"]
    assert mailrun.run("mailing", "proof", number, "-o", "proof.pdf").code == 0
    assert (mailrun.directory / "proof.pdf").read_bytes().startswith(b"%PDF-")
    assert "too late" in mailrun.run("cancel", number).out


@pytest.mark.parametrize("arguments", [("campaign", "show"), ("mailing", "show"), ("campaign", "watch")])
def test_a_number_that_does_not_exist_is_said_in_one_line(arguments: tuple[str, ...], mailrun: Any) -> None:
    assert "there is no" in mailrun.run(*arguments, "999999").complaint


def test_the_proof_of_no_mailing_is_not_one_that_is_still_to_come(mailrun: Any) -> None:
    assert "there is no mailing" in mailrun.run("mailing", "proof", "999999", "-o", "proof.pdf").complaint


def test_a_terminal_set_for_another_vendor_than_the_running_up_is_told_so(mailrun: Any) -> None:
    ran = mailrun.run("campaign", "list", LETTRLABS_API_KEY="LL-API-real")

    assert "alike in both" in ran.complaint
    assert "LL-API-real" not in ran.err
