"""The command line as a program among others: version, help, completion, pipes, and the directory it is run in."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[3]
NO_SERVERS: Final = {"DATABASE_URL": "", "REDIS_URL": "", "MAILRUN_DATA_DIR": ""}


def test_the_version_and_the_short_help_option_work_on_every_level(command_line: Any) -> None:
    assert command_line.run("--version").out.startswith("mailrun ")
    for arguments in (("-h",), ("campaign", "-h"), ("campaign", "send", "-h")):
        ran = command_line.run(*arguments)
        assert (ran.code, "Usage: mailrun" in ran.out) == (0, True)
        assert "<bool>" not in ran.out


def test_a_shell_can_complete_the_commands(command_line: Any) -> None:
    asked = {"_MAILRUN_COMPLETE": "complete_bash", "COMP_WORDS": "mailrun campaign p", "COMP_CWORD": "2"}

    assert command_line.run(**asked).out.split() == ["plan", "pause"]
    # Typer asks the parent processes which shell it is, and a test may be run by something else.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    assert "_MAILRUN_COMPLETE" in command_line.run("--show-completion", "bash", **named).out


def test_all_stands_for_every_scope_and_every_kind(command_line: Any) -> None:
    token = command_line.run("token", "create", "shop", "--scope", "all")
    hook = command_line.run(
        *("webhook", "add", "http://127.0.0.1:9/", "--kind", "all"), MAILRUN_WEBHOOK_NETWORKS="127.0.0.0/8"
    )

    assert token.code == hook.code == 0, token.err + hook.err
    (listed,) = command_line.run("token", "list", "--json").json()["tokens"]
    assert {"events:read", "campaigns:write"} <= set(listed["scopes"])
    assert "everything" in hook.err
    assert "and all" in command_line.run("token", "create", "other", "--scope", "mail").complaint


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("MAILRUN_CAPS", "MAILRUN_CAP"),
        ("MAILRUN_4_EYES", "MAILRUN_FOUR_EYES"),
        ("LETTRLABS_EXCLUSIV", "LETTRLABS_EXCLUSIVE"),
        ("LETTRLAB_API_KEY", "LETTRLABS_API_KEY"),
        ("MAILRUM_ZONE", "MAILRUN_ZONE"),
    ],
)
def test_a_misspelt_setting_is_named_with_the_nearest_one(name: str, nearest: str, command_line: Any) -> None:
    ran = command_line.run("campaign", "list", **{name: "secret"})

    assert ran.complaint == f"{name}: there is no such setting; did you mean {nearest}?"


def test_a_misspelt_setting_in_the_env_file_is_named_with_its_file(command_line: Any) -> None:
    command_line.write(".env", "MAILRUN_ZON=America/Chicago\nPOSTGRES_PASSWORD=x\nDATABSE_URL=x\n")

    said = command_line.run("campaign", "list").err

    assert "MAILRUN_ZON in .env: there is no such setting; did you mean MAILRUN_ZONE?" in said
    assert "did you mean DATABASE_URL?" in said
    assert "POSTGRES_PASSWORD" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("campaign", "list"),
        ("attention", "list"),
        ("doctor",),
        ("migrate",),
        ("exec", "--", "true"),
        ("ledger", "--json"),
        ("web", "--port", "0"),
        ("strays", "list"),
        ("strays", "look"),
        ("suppress", "add", "--email", "a@example.com"),
        ("budget", "show"),
        ("evidence", "1"),
        ("pause",),
        ("approve", "1", "--yes"),
    ],
)
def test_a_command_in_the_wrong_directory_creates_no_installation(
    arguments: tuple[str, ...], command_line: Any
) -> None:
    ran = command_line.run(*arguments, **NO_SERVERS)

    assert "no .mailrun in" in ran.complaint
    assert "mailrun up" in ran.complaint
    assert ran.code == 1
    assert command_line.files() == set()


def test_an_installation_is_found_from_a_directory_below_it_and_named(command_line: Any) -> None:
    (command_line.directory / ".mailrun").mkdir()
    (command_line.directory / ".mailrun" / "up.lock").touch()
    command_line.write(".env", "MAILRUN_ZONE=Nowhere/Else\n")
    below = command_line.directory / "lists" / "spring"
    below.mkdir(parents=True)
    env = {"MAILRUN_DATA_DIR": ""}

    wrong = command_line.inside(below).run("campaign", "list", **env)
    listed = command_line.inside(below).run("campaign", "list", **env, MAILRUN_ZONE="UTC")

    assert "MAILRUN_ZONE" in wrong.complaint
    assert listed.code == 0, listed.err
    assert f"The installation is in {command_line.directory / '.mailrun'}." in listed.err
    assert not (below / ".mailrun").exists()


@pytest.mark.parametrize("arguments", [("--help",), ("campaign", "list"), ("doctor",), ("sandbox", "--help")])
def test_a_reader_that_leaves_early_is_no_error(arguments: tuple[str, ...], command_line: Any) -> None:
    read, written = os.pipe()
    os.close(read)
    process = subprocess.run(
        [sys.executable, "-m", "console", *arguments],
        cwd=command_line.directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), **command_line.env},
        stdin=subprocess.DEVNULL,
        stdout=written,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(written)

    assert "Traceback" not in process.stderr
    assert "BrokenPipe" not in process.stderr
    # The exit code of the doctor is its finding, with or without a reader.
    assert process.returncode == (1 if arguments == ("doctor",) else 0), process.stderr
