"""A list looked over, sent from a pipe, a workbook or an export; and what is no list, in one line."""

import io
import os
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.intake.workbook_files import xlsx

SomePeople = Callable[[int], str]
EXPORTS: Final = Path(__file__).parents[2] / "integration" / "intake" / "exports"
HEADINGS: Final = ["Name", "Ship to", "City", "State", "ZIP", "Gift"]
GIFTS: Final = ",".join(HEADINGS) + "\nAnn Lee,12 Oak St,Boston,MA,2108,a mug\nBo Kim,9 Elm,Reno,NV,1,a hat\n"


def test_a_check_counts_and_shows_samples_and_queues_nothing(
    command_line: Any, nothing_kept: Callable[[], bool]
) -> None:
    command_line.write("list.csv", GIFTS.replace("Ship to", "Address").replace("Gift", "custom1"))

    ran = command_line.run("campaign", "check", "list.csv", "--json")

    told = ran.json()["check"]
    assert (told["rows"], told["people"], told["reasons"]) == (2, 1, {"malformed_zip": 1})
    assert told["merge_samples"] == {"custom1": ["a mug"]}
    assert nothing_kept()
    assert command_line.files() == {"list.csv"}


def test_a_check_needs_no_installation(command_line: Any) -> None:
    command_line.write("list.csv", (EXPORTS / "hubspot.csv").read_bytes())

    ran = command_line.run("campaign", "check", "list.csv", DATABASE_URL="", MAILRUN_DATA_DIR="nowhere")

    assert ran.code == 0
    assert "HubSpot export" in ran.out
    assert "2 to mail" in ran.out
    assert command_line.files() == {"list.csv"}


def test_a_check_says_who_got_the_template_lately_and_what_its_estimate_is_based_on(
    mailrun: Any, some_people: SomePeople
) -> None:
    mailrun.write("sent.csv", some_people(2).replace("Oak St", "Check St"))
    mailrun.write("list.csv", some_people(3).replace("Oak St", "Check St"))
    check = ("campaign", "check", "list.csv", "--template")
    assert "No estimate" in mailrun.run(*check, "1004").out
    assert mailrun.run("campaign", "send", "sent.csv", "--template", "1004", "--yes", "--wait").code == 0

    told, shown = mailrun.run(*check, "1004", "--json").json(), mailrun.run(*check, "1004").out

    order = mailrun.run("mailing", "list", "--limit", "1", "--json").json()["mailings"][0]
    assert (told["mailed_lately"]["people"], told["mailed_lately"]["from"][0]["people"]) == (2, 2)
    assert "2 of these 3 people got template 1004 from campaign" in shown
    assert told["estimate"]["mailing"] == order["id"]
    assert f"as LettrLabs quoted mailing {order['id']} at $" in shown
    assert Decimal(told["estimate"]["total"]) == round(Decimal(order["quoted"]) / 2 * 3, 2)
    assert mailrun.run(*check, "1005", "--json").json()["mailed_lately"]["people"] == 0


def test_a_mapping_can_be_saved_and_is_found_again_by_the_headings(
    command_line: Any,
) -> None:
    command_line.write("list.csv", GIFTS)

    refused = command_line.run("campaign", "check", "list.csv")
    assert "--mapping HEADING=address1" in refused.complaint

    command_line.write("columns.json", '{"Ship to": "address1"}')
    given = ("--mapping", "columns.json", "--mapping", "Gift=custom2", "--save-mapping", "shop")
    assert command_line.run("campaign", "check", "list.csv", *given).code == 0

    command_line.write("next.csv", ",".join(reversed(HEADINGS)) + "\na pen,02108,MA,Boston,3 Oak St,Cy Ng\n")
    again = command_line.run("campaign", "check", "next.csv", "--json")
    assert again.json()["check"]["merge_samples"] == {"custom2": ["a pen"]}
    assert "shop" in command_line.run("campaign", "mappings").out
    sent = command_line.run("campaign", "send", "next.csv", "--template", "1001", "--yes")
    assert (sent.code, "prints custom2" in sent.out) == (0, True)

    assert command_line.run("campaign", "mappings", "--remove", "shop").code == 0
    assert command_line.run("campaign", "check", "next.csv").code == 1


def test_a_strict_send_refuses_a_column_that_would_go_nowhere(command_line: Any) -> None:
    command_line.write("list.csv", GIFTS.replace("Ship to", "Address"))

    ran = command_line.run(
        "campaign", "send", "list.csv", "--template", "1001", "--yes", "--strictness", "strict"
    )

    assert "--mapping Gift=custom1" in ran.complaint


@pytest.mark.parametrize("command", [("campaign", "check"), ("campaign", "send"), ("suppress", "import")])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        *((".", "is a folder"), ("/", "is a folder"), ("pipe", "not a file"), ("empty.csv", "is empty")),
        *(("a.pdf", "is a PDF"), ("old.xls", "an old Excel workbook"), ("a.numbers", "Numbers")),
    ],
)
def test_what_is_no_list_is_told_in_one_line(
    command: tuple[str, ...], name: str, words: str, command_line: Any
) -> None:
    os.mkfifo(command_line.directory / "pipe")
    command_line.write("empty.csv", b"")
    command_line.write("a.pdf", b"%PDF-1.7 and so on")
    command_line.write("old.xls", b"\xd0\xcf\x11\xe0 and so on")
    command_line.write("a.numbers", _archive("Index/Document.iwa"))
    options = ("--template", "1001", "--yes") if command[1] == "send" else ()

    ran = command_line.run(*command, name, *options)

    assert words in ran.complaint
    assert ran.code == 1


def _archive(member: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, "x")
    return file.getvalue()


def test_a_hubspot_export_and_a_workbook_of_500_rows_become_orders(
    mailrun: Any, some_people: SomePeople
) -> None:
    mailrun.write("contacts.csv", _hubspot(some_people(3)))
    rows: list[list[object]] = [line.split(",") for line in some_people(500).splitlines()]
    mailrun.write("people.xlsx", xlsx({"People": [row[:6] for row in rows]}))

    for file, people in (("contacts.csv", 3), ("people.xlsx", 500)):
        ran = mailrun.run(
            "campaign", "send", file, "--template", "1003", "--yes", "--wait", "--again", "everybody"
        )

        assert ran.code == 0, ran.err
        assert f"{people} to mail, 0 rejected" in ran.out


def _hubspot(people: str) -> str:
    headings = "Record ID,First Name,Last Name,Street Address,City,State/Region,Postal Code\n"
    lines = [line.rsplit(",", 1)[0] for line in people.splitlines()[1:]]
    return headings + "".join(f"{10151 + at},{line}\n" for at, line in enumerate(lines))
