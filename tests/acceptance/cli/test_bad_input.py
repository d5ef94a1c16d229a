"""Whatever is wrong with a send: one clear line, a non-zero exit, nothing half-written."""

import os
from collections.abc import Callable
from typing import Any

import pytest

GOOD = "Name,Address,City,State,ZIP\nAnn Lee,1 Oak Street,Springfield,IL,62701\n"
SEND = ("--template", "1001", "--yes")

BAD_FILES = {
    "missing": (None, "no file"),
    "empty": (b"", "empty"),
    "no address columns": (b"Name,Colour\nAnn Lee,blue\n", "No column means address1"),
    "two headings for one field": (
        b"Name,Address,Street,City,State,ZIP\nAnn Lee,1 Oak St,1 Oak St,Springfield,IL,62701\n",
        "More than one column means address1",
    ),
    "a quote never closed": (
        GOOD.encode() + b'Bob Ray,"2 Oak Street,Springfield,IL,62701\nEve,3 Oak,Springfield,IL,62701\n',
        "line 3",
    ),
    "nobody to mail": (
        b"Name,Address,City,State,ZIP\nAnn Lee,1 Oak Street,Springfield,IL,\n",
        "can be mailed",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_sent_is_refused_in_one_line(
    case: str, command_line: Any, nothing_kept: Callable[[], bool]
) -> None:
    content, words = BAD_FILES[case]
    if content is not None:
        command_line.write("list.csv", content)
    before = command_line.files()

    ran = command_line.run("campaign", "send", "list.csv", *SEND)

    assert words in ran.complaint
    assert ran.code == 1
    assert nothing_kept()
    assert command_line.files() == before


@pytest.mark.parametrize("kind", ["bytes", "letters"])
def test_50_mb_of_garbage_are_refused_in_one_line(
    kind: str, command_line: Any, nothing_kept: Callable[[], bool]
) -> None:
    garbage = os.urandom(50_000_000) if kind == "bytes" else b"x" * 50_000_000
    command_line.write("list.csv", garbage)
    before = command_line.files()

    ran = command_line.run("campaign", "send", "list.csv", *SEND)

    assert "list.csv" in ran.complaint
    assert nothing_kept()
    assert command_line.files() == before


@pytest.mark.parametrize("place", ["no/such/folder.csv", "folder"])
def test_rejected_rows_that_cannot_be_written_down_are_one_line_and_nothing_is_queued(
    place: str, command_line: Any, nothing_kept: Callable[[], bool]
) -> None:
    command_line.write("list.csv", GOOD + "Bo Kim,,Springfield,IL,62701\n")
    (command_line.directory / "folder").mkdir()
    before = command_line.files()

    ran = command_line.run("campaign", "send", "list.csv", *SEND, "--rejects", place)

    assert ran.complaint.startswith(f"The rejected rows cannot be written to {place}: ")
    assert nothing_kept()
    assert command_line.files() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--postage", "Pigeon"), "LettrLabs knows Standard, FirstClass"),
        (("--speed", "Slow"), "LettrLabs knows Normal, ExpeditedFaster, ExpeditedFastest"),
        (("--mapping", "Name"), "HEADING=FIELD"),
        (("--batch-size", "many"), "--batch-size"),
    ],
)
def test_an_unknown_option_is_refused_before_anything_happens(
    arguments: tuple[str, ...], words: str, command_line: Any
) -> None:
    ran = command_line.run("campaign", "send", "there-is-no-such-file.csv", *SEND, *arguments)

    assert words in ran.complaint
    assert ran.code == 2


def test_without_a_terminal_nobody_can_be_asked_and_yes_is_needed(
    command_line: Any, nothing_kept: Callable[[], bool]
) -> None:
    command_line.write("list.csv", GOOD)

    ran = command_line.run("campaign", "send", "list.csv", "--template", "1001")

    assert "--yes" in ran.complaint
    assert nothing_kept()


def test_what_the_vendor_does_not_know_is_refused_before_anything_is_queued(
    command_line: Any, sandbox: Any, nothing_kept: Callable[[], bool]
) -> None:
    command_line.write("list.csv", GOOD)

    def send(template: str, **env: str) -> str:
        ran = command_line.run(
            "campaign", "send", "list.csv", "--template", template, "--yes", **sandbox.env | env
        )
        assert "SANDBOX" in ran.err
        return str(ran.complaint)

    assert "no template 77" in (wrong := send("77"))
    assert "1001 Thank you card" in wrong
    assert "(401)" in send("1001", LETTRLABS_API_KEY="LL-API-mistyped")
    assert "(403)" in send("1001", LETTRLABS_API_KEY="LL-API-noplan")
    assert nothing_kept()
    assert sandbox.ledger()["totals"]["created"] == 0


def test_a_database_that_is_away_is_said_in_one_line(command_line: Any) -> None:
    command_line.write("list.csv", GOOD)
    away = {"DATABASE_URL": "postgresql://mailrun:secret@127.0.0.1:9/mailrun"}

    ran = command_line.run("campaign", "send", "list.csv", *SEND, **away)

    assert "the database is away" in ran.complaint
    assert "secret" not in ran.err + ran.out


def test_a_database_without_tables_says_what_to_do(command_line: Any, postgres: Any) -> None:
    empty = {"DATABASE_URL": postgres.url("postgres")}

    assert "mailrun migrate" in command_line.run("campaign", "list", **empty).complaint


def test_a_wrong_setting_is_named_without_its_value(command_line: Any) -> None:
    ran = command_line.run("campaign", "list", REDIS_URL="amqp://user:secret@host")

    assert ran.complaint.startswith("REDIS_URL")
    assert "secret" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("bogus",), "mailrun"),
        (("campaign", "show", "x"), "mailrun campaign show"),
        (("campaign", "send"), "mailrun campaign send"),
        (("campaign", "sned"), "mailrun campaign"),
        (("cancel", "--force", "1"), "mailrun cancel"),
        (
            ("campaign", "send", "list.csv", "--template", "1001", "--yes", "--send-at", "soon"),
            "mailrun campaign send",
        ),
        (("ledger", "--by", "week"), "mailrun ledger"),
        (("reschedule", "1"), "mailrun reschedule"),
        (("budget", "set", "account"), "mailrun budget set"),
        (("token", "create", "shop", "--scope", "everything"), "mailrun token create"),
    ],
)
def test_a_wrong_command_line_is_one_line_names_the_help_of_the_command_and_exits_2(
    arguments: tuple[str, ...], command: str, command_line: Any
) -> None:
    command_line.write("list.csv", GOOD)

    ran = command_line.run(*arguments)

    assert f"ee `{command} --help`" in ran.complaint
    assert ran.code == 2


def test_a_vendor_that_is_away_does_not_keep_a_list_from_being_queued(command_line: Any) -> None:
    command_line.write("list.csv", GOOD)

    ran = command_line.run("campaign", "send", "list.csv", *SEND)

    assert ran.code == 0
    assert "cannot be reached" in ran.err
    assert "workers keep trying" in ran.err
    assert "start `mailrun up`" in ran.err
    assert command_line.run("campaign", "list", "--json").json()["campaigns"][0]["people"] == 1


def test_a_person_waits_for_a_vendor_that_is_away_until_they_give_up(
    command_line: Any, nothing_kept: Callable[[], bool]
) -> None:
    command_line.write("list.csv", GOOD)

    waiting, _ = command_line.ask("campaign", "send", "list.csv", "--template", "1001")
    waiting.wait_for("trying again")
    waiting.interrupt()

    assert waiting.end() == 130
    assert waiting.err.read_text().endswith("mailrun: interrupted\n")
    assert "Traceback" not in waiting.said()
    assert nothing_kept()


def test_a_command_that_was_started_with_sigint_ignored_still_obeys_an_interrupt(command_line: Any) -> None:
    command_line.write("list.csv", GOOD)

    waiting, _ = command_line.ignoring_sigint().ask("campaign", "send", "list.csv", "--template", "1001")
    waiting.wait_for("trying again")
    waiting.interrupt()

    assert waiting.end() == 130
