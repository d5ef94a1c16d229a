import csv
from pathlib import Path

import pytest

from intake.csv.columns import match_columns
from intake.csv.records import Row
from intake.csv.rejected_rows import RejectedRows
from intake.csv.table import Table
from intake.errors import ErrorCode, IntakeError
from intake.reasons import Reason, ReasonCode

ROW = Row(7, 9, ["José", "=1+1", "a\nb"])
NO_CITY = Reason(ReasonCode.NO_CITY, "No city.")
NO_ZIP = Reason(ReasonCode.NO_ZIP, "No ZIP.")


def test_a_rejected_row_is_kept_as_it_was_with_its_number_and_every_reason(tmp_path: Path) -> None:
    with RejectedRows(tmp_path / "rejected.csv", ["Name", "Sum", "Note"]) as rejected:
        rejected.write(ROW, [NO_CITY, NO_ZIP])

    with (tmp_path / "rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["Row", "Reason", "What is wrong", "Name", "Sum", "Note"],
            ["7", "no_city no_zip", "No city. No ZIP.", "José", "=1+1", "a\nb"],
        ]


def test_the_corrected_file_can_be_sent_as_a_list_without_printing_the_reasons(tmp_path: Path) -> None:
    with RejectedRows(
        tmp_path / "rejected.csv", ["Name", "Street", "City", "State", "ZIP", "Custom 1"]
    ) as rejected:
        rejected.write(Row(7, 9, ["José", "12 Oak St", "Boston", "MA", "02108", "gold"]), [NO_CITY])

    with Table.open(tmp_path / "rejected.csv") as table:
        columns = match_columns(table.headings)
        entry, merge = columns.reader()(next(table.rows()).cells)

    assert (entry.full_name, merge) == ("José", {"custom1": "gold"})
    assert columns.left_out == ("Row", "Reason", "What is wrong")


def test_no_file_is_made_when_nothing_is_rejected(tmp_path: Path) -> None:
    with RejectedRows(tmp_path / "rejected.csv", []):
        pass

    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    with RejectedRows(tmp_path / "rejected.csv", []) as rejected:
        rejected.write(ROW, [NO_CITY])

    assert (tmp_path / "rejected.csv").stat().st_mode & 0o777 == 0o600


def test_an_interrupted_submission_leaves_an_older_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "rejected.csv").write_text("older")

    def interrupted() -> None:
        with RejectedRows(tmp_path / "rejected.csv", []) as rejected:
            rejected.write(ROW, [NO_CITY])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert [path.name for path in tmp_path.iterdir()] == ["rejected.csv"]
    assert (tmp_path / "rejected.csv").read_text() == "older"


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    with (
        RejectedRows(tmp_path / "no" / "rejected.csv", []) as rejected,
        pytest.raises(IntakeError) as error,
    ):
        rejected.write(ROW, [NO_CITY])

    assert error.value.fault is ErrorCode.UNWRITABLE_FILE
