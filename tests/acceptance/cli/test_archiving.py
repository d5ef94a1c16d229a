"""Old evidence to a file, from the command line; what is archived is under test in tests/recipients."""

from pathlib import Path
from typing import Any


def test_with_nothing_to_archive_it_says_so_and_leaves_no_file(command_line: Any, tmp_path: Path) -> None:
    done = command_line.run("archive", "--before", "2020-01-01", "--output", str(tmp_path / "old.gz"))

    assert (done.code, "No mailing that ended before 2020-01-01" in done.out) == (0, True)
    assert not (tmp_path / "old.gz").exists()


def test_a_date_that_is_none_or_too_near_is_one_line(command_line: Any, tmp_path: Path) -> None:
    output = ("--output", str(tmp_path / "old.gz"))

    none = command_line.run("archive", "--before", "Christmas", *output)
    near = command_line.run("archive", "--before", "2999-01-01", *output)

    assert (none.code, "2026-01-31" in none.err) == (2, True)
    assert (near.code, "30 days" in near.err) == (2, True)


def test_a_file_that_is_there_is_left_alone(command_line: Any, tmp_path: Path) -> None:
    there = tmp_path / "old.gz"
    there.write_bytes(b"mine")

    refused = command_line.run("archive", "--before", "2020-01-01", "--output", str(there))

    assert (refused.code, "already" in refused.err) == (1, True)
    assert there.read_bytes() == b"mine"
