import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Final

import pytest

from intake.csv.columns import match_columns
from intake.csv.importer import people
from intake.csv.table import Table
from intake.csv.workbooks import SeveralSheetsError
from intake.errors import ErrorCode, TableError
from intake.recipients.rows import MailableRow
from tests.integration.intake.workbook_files import ods, xlsx

HEADINGS: Final = ["Name", "Address", "City", "State", "ZIP", "Custom 1"]
ANN: Final = ["Ann Lee", "12 Oak St", "Boston", "MA", 2108, dt.date(2026, 11, 28)]


def read(content: bytes, sheet: str | None = None) -> tuple[Table, list[MailableRow], list[int]]:
    with Table.open(io.BytesIO(content), "people.xlsx", sheet=sheet) as table:
        blocks = list(people(table, match_columns(table.headings)))
    found = [MailableRow._make(one) for block in blocks for one in block.people]
    return table, found, [one.row.number for block in blocks for one in block.rejected]


def refused(content: bytes, sheet: str | None = None) -> TableError:
    with pytest.raises(TableError) as error:
        read(content, sheet)
    assert "\n" not in str(error.value)
    return error.value


@pytest.mark.parametrize("make", [xlsx, ods])
def test_a_workbook_is_read_and_a_zip_code_that_is_a_number_gets_its_zero_back(make: object) -> None:
    assert callable(make)
    table, (ann,), rejected = read(make({"People": [HEADINGS, ANN]}))

    assert (ann.first_name, ann.last_name, ann.zip_code) == ("Ann", "Lee", "02108")
    assert ann.merge == b'\x01{"custom1": "2026-11-28"}'
    assert (table.sheet, rejected) == ("People", [])


def test_numbers_and_truths_are_written_as_a_spreadsheet_shows_them() -> None:
    rows = [
        HEADINGS,
        [*ANN[:5], True],
        [*ANN[:1], "13 Oak St", *ANN[2:5], 12.5],
        ["Bo Kim", *ANN[1:5], 4000000001],
    ]

    _, found, _ = read(xlsx({"People": rows}))

    assert [one.merge for one in found] == [
        b'\x01{"custom1": "TRUE"}',
        b'\x01{"custom1": "12.5"}',
        b'\x01{"custom1": "4000000001"}',
    ]


def test_rows_have_the_numbers_that_the_spreadsheet_shows_below_a_title() -> None:
    rows: list[list[object]] = [[], ["Spring mailing"], [], HEADINGS, [], [*ANN[:4], "x"], ANN]

    table, (ann,), rejected = read(xlsx({"People": rows}))

    assert (table.above, rejected, ann.row) == (1, [6], 7)


def test_one_filled_sheet_needs_no_name_and_hidden_ones_do_not_count() -> None:
    table, _, _ = read(xlsx({"Empty": [], "People": [HEADINGS, ANN], "Old": [HEADINGS, ANN]}, hidden=["Old"]))

    assert table.sheet == "People"


def test_of_several_sheets_one_must_be_named() -> None:
    content = xlsx({"People": [HEADINGS, ANN], "Notes": [["a"]]})

    error = refused(content)

    assert isinstance(error, SeveralSheetsError)
    assert error.sheets == ("People", "Notes")
    assert "--sheet" in str(error)
    assert read(content, "people")[0].sheet == "People"
    assert refused(content, "Persons").fault is ErrorCode.UNKNOWN_SHEET


def test_a_cell_far_outside_takes_neither_memory_nor_the_program() -> None:
    error = refused(xlsx({"People": [HEADINGS, ANN]}, far="XFD1048576"))

    assert error.fault is ErrorCode.TOO_LARGE


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intake.csv.workbooks.LARGEST_CONTENT", 1000)

    assert refused(xlsx({"People": [HEADINGS, ANN]})).fault is ErrorCode.TOO_LARGE


def test_a_workbook_cut_short_and_an_empty_one_say_so() -> None:
    content = xlsx({"People": [HEADINGS, ANN]})

    assert "damaged" in str(refused(content[:-200]))
    assert refused(xlsx({"People": []})).fault is ErrorCode.EMPTY_FILE


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("Index/Document.iwa", "Numbers"),
        ("word/document.xml", "Word"),
        ("xl/workbook.bin", ".xlsb"),
        ("people.csv", "ZIP archive"),
    ],
)
def test_another_kind_of_archive_is_named(member: str, words: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, "x")

    assert words in str(refused(file.getvalue()))


def test_a_list_that_is_no_workbook_has_no_sheet(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Name,City\nAnn,Reno\n")

    with pytest.raises(TableError, match="no workbook"):
        Table.open(tmp_path / "people.csv", sheet="People")
