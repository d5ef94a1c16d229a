from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.command import main

if TYPE_CHECKING:
    from conftest import Person, Sandbox, Start


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)


def _busy(sandbox: Sandbox, person: Person) -> None:
    kept, gone = sandbox.draft(person(1), person(2)), sandbox.draft(person(3))
    listed = sandbox.payload(sandbox.vendor.get(f"/order/{kept}/recipients"))["recipients"]
    sandbox.told(
        sandbox.vendor.request(
            "DELETE", f"/order/{kept}/recipients", json={"recipientsIds": [listed[1]["id"]]}
        )
    )
    sandbox.told(sandbox.vendor.delete(f"/order/{gone}"))
    sandbox.faults({"endpoint": "checkout", "kind": "double_settle", "count": 1})
    sandbox.control.post("/settings", json={"orderOfRows": "oldest"}).raise_for_status()
    sandbox.checkout(kept, postageType="FirstClass").raise_for_status()
    sandbox.draft(person(4))
    # A jump and a standing still clock: nothing in the ledger moves while the process is away.
    sandbox.later(days=2, speed=1e-9)


def test_a_killed_sandbox_remembers_everything_it_answered(start: Start, person: Person) -> None:
    sandbox = start("--settle-seconds", "60")
    _busy(sandbox, person)
    ledger, faults = sandbox.ledger(), sandbox.control.get("/faults").json()
    manners, rows = (
        sandbox.control.get("/settings").json(),
        sandbox.vendor.get("/order").json()["payload"],
    )
    ledger["totals"] = sandbox.totals()

    for _ in range(2):  # the second time from a journal that the first shortened
        sandbox.kill()
        sandbox.start()

        assert sandbox.ledger() == ledger
        assert sandbox.control.get("/faults").json() == faults
        assert sandbox.control.get("/settings").json() == manners
    assert sandbox.vendor.get("/order").json()["payload"]["orders"] == rows["orders"]


def test_numbers_are_never_given_twice_not_even_after_a_restart(start: Start, person: Person) -> None:
    sandbox = start()
    order = sandbox.draft(person(1))
    first = sandbox.payload(sandbox.vendor.get(f"/order/{order}/recipients"))["recipients"][0]["id"]
    sandbox.told(
        sandbox.vendor.request("DELETE", f"/order/{order}/recipients", json={"recipientsIds": [first]})
    )
    sandbox.told(sandbox.vendor.delete(f"/order/{order}"))

    sandbox.kill()
    sandbox.start()
    sandbox.kill()
    sandbox.start()

    again = sandbox.draft(person(1))
    assert again > order
    assert sandbox.payload(sandbox.vendor.get(f"/order/{again}/recipients"))["recipients"][0]["id"] > first


def test_a_settlement_goes_on_while_the_process_is_dead(start: Start, person: Person) -> None:
    sandbox = start("--settle-seconds", "3600")
    order = sandbox.draft(person())
    sandbox.checkout(order).raise_for_status()

    sandbox.kill()
    sandbox.start()
    assert sandbox.row(order)["status"] == "Payment Needed"
    sandbox.later(advanceSeconds=3601)

    assert sandbox.row(order)["status"] == "Paid"
    assert sandbox.totals()["charges"] == 1


def test_a_last_line_cut_off_in_the_middle_never_happened(start: Start, tmp_path: Path) -> None:
    sandbox = start()
    sandbox.draft()
    sandbox.kill()
    with (tmp_path / "state" / "journal.jsonl").open("ab") as journal:
        journal.write(b'[["OrderCreated",{"order":')

    sandbox.start()

    assert sandbox.totals()["created"] == 1
    sandbox.draft()
    sandbox.kill()
    sandbox.start()
    assert sandbox.totals()["created"] == 2


def test_a_stop_is_quick_and_no_failure_even_while_a_call_hangs(start: Start) -> None:
    sandbox = start()
    sandbox.faults({"endpoint": "me", "kind": "hang"}, {"endpoint": "fonts", "kind": "slow", "seconds": 60})
    for path in ("/me", "/fonts"):
        with pytest.raises(httpx.ReadTimeout):
            sandbox.vendor.get(path, timeout=0.2)
    began = time.monotonic()

    assert sandbox.stop() == 0
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "x"],
        ["--port", "70000"],
        ["--speed", "0"],
        ["--settle-seconds", "-1"],
        ["--settle-seconds", "nan"],
    ],
)
def test_wrong_arguments_are_told_in_one_line(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)

    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.out == ""
    assert len(told.err.splitlines()) == 1


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = _run("--port", str(taken.getsockname()[1]), "--state", str(tmp_path))

    assert ended.returncode == 1
    assert "cannot listen" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_two_processes_cannot_keep_the_same_books(start: Start, tmp_path: Path) -> None:
    start()

    ended = _run("--port", "0", "--state", str(tmp_path / "state"))

    assert ended.returncode == 1
    assert "another sandbox" in ended.stderr


def test_a_file_that_is_no_journal_is_told_in_one_line_and_left_alone(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text("not a journal\n")

    ended = _run("--port", "0", "--state", str(tmp_path))

    assert ended.returncode == 1
    assert "line 1" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert journal.read_text() == "not a journal\n"
