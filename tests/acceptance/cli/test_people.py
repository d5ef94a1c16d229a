"""Who is not mailed, and forgetting: lists and persons from the command line."""

import json
from typing import Any

from sqlalchemy import func, select

from models import Mailing, Recipient, Suppression

LIST = (
    "First Name,Last Name,Address,City,State,ZIP,Email\nAnn,Lee,12 Oak St,Boston,MA,02108,ann@example.com\n"
)
DMA = "FIRST_NAME|LAST_NAME|ADDRESS_1|ADDRESS_2|CITY|STATE|ZIP\nANN|LEE|12 OAK ST|APT 4|BOSTON|MA|2108\n"


def marks(engine: Any) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        found = connection.execute(select(Suppression.list, Suppression.mark).order_by(Suppression.list))
        return [(row.list, row.mark.value) for row in found]


def test_somebody_is_put_on_a_list_and_taken_off_again_by_the_same_marks(
    command_line: Any, engine: Any
) -> None:
    ann = ("--name", "Ann Lee", "--address", "12 Oak St", "--zip", "02108")

    added, again = command_line.run("suppress", "add", *ann), command_line.run("suppress", "add", *ann)
    mail = command_line.run("suppress", "add", "--email", "ann@example.com", "--list", "winter")

    assert "On do-not-mail, by person." in added.out
    assert "already" in again.out
    assert "On winter, by email." in mail.out
    assert marks(engine) == [("do-not-mail", "person"), ("winter", "email")]
    gone = command_line.run(
        "suppress", "remove", "--name", "LEE, ANN", "--address", "12 Oak Street", "--zip", "2108"
    )
    assert (gone.code, "Taken off do-not-mail" in gone.out) == (0, True)
    assert command_line.run("suppress", "remove", *ann).code == 1
    assert marks(engine) == [("winter", "email")]


def test_nobody_in_particular_is_not_suppressed(command_line: Any, engine: Any) -> None:
    assert "who is meant?" in command_line.run("suppress", "add").complaint
    assert "who is meant?" in command_line.run("suppress", "add", "--name", "Ann Lee").complaint
    assert (
        "wintre" in command_line.run("suppress", "remove", "--email", "a@b.com", "--list", "wintre").complaint
    )
    assert marks(engine) == []


def test_a_suppression_file_is_read_by_a_mapping_that_was_saved_with_another_one(command_line: Any) -> None:
    command_line.write("list.csv", "Contact via,Remark\nann@example.com,moved\n")
    command_line.write("next.csv", "remark,CONTACT VIA\n,bo@example.com\n")
    command = ("suppress", "import", "list.csv", "--save-mapping", "opt-outs")
    mapping = ("--mapping", "Contact via=email")

    assert "add --mapping as well" in command_line.run(*command).complaint
    assert '"E-Mail"' in command_line.run(*command, "--mapping", "E-Mail=email").complaint
    assert '"post"' in command_line.run(*command, *mapping, "--mapping", "Remark=post").complaint
    assert command_line.run("campaign", "mappings", "--json").json()["mappings"] == []

    assert "1 entry added" in command_line.run(*command, *mapping).out
    found = command_line.run("suppress", "import", "next.csv")
    assert "1 entry added" in found.out
    assert 'saved mapping "opt-outs"' in found.err


def test_a_mail_preference_file_is_taken_in_and_counted(command_line: Any) -> None:
    command_line.write("dma.csv", DMA + "|||||,|\n")

    first = command_line.run("suppress", "import", "dma.csv")
    again = command_line.run("suppress", "import", "dma.csv", "--list", "do-not-mail")
    lists = command_line.run("suppress", "list", "--json").json()["lists"]

    assert "1 entry added to do-not-mail, 0 known before" in first.out
    assert "dma.rejected.csv" in command_line.files()
    assert "0 entries added to do-not-mail, 1 known before" in again.out
    assert [(one["name"], one["entries"]) for one in lists] == [("do-not-mail", {"person": 1})]
    assert "do-not-mail" in command_line.run("suppress", "list").out


def test_a_person_is_handed_out_and_forgotten(command_line: Any, engine: Any) -> None:
    command_line.write("list.csv", LIST)
    command_line.run("campaign", "send", "list.csv", "--template", "1001", "--yes")

    exported = command_line.run("person", "export", "--email", "ann@example.com", "-o", "ann.json")
    kept = json.loads((command_line.directory / "ann.json").read_text())
    unsure = command_line.run("person", "erase", "--email", "ann@example.com")
    erased = command_line.run("person", "erase", "--email", "ann@example.com", "--yes")

    assert "1 piece" in exported.out
    assert kept["pieces"][0]["first_name"] == "Ann"
    assert "add --yes to erase without asking" in unsure.complaint
    assert "1 piece on mailings under way" in erased.out
    assert ("do-not-mail", "email") in marks(engine)
    assert (
        "not one person"
        in command_line.run("person", "erase", "--yes", "--address", "12 Oak St", "--zip", "02108").complaint
    )
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Recipient)) == 1
        assert connection.scalar(select(Mailing.size)) == 1
