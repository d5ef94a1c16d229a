"""Lists in the encodings that people have: read right, or refused with the line or the row."""

from pathlib import Path
from typing import Final

import pytest

from intake.csv.columns import match_columns
from intake.csv.importer import ImportedBlock, people
from intake.csv.table import Table
from intake.errors import ErrorCode, TableError
from intake.reasons import ReasonCode

FILES: Final = Path(__file__).with_name("encodings")


def read(name: str) -> ImportedBlock:
    with Table.open(FILES / name) as table:
        (found,) = people(table, match_columns(table.headings))
        return found


def last_names(found: ImportedBlock) -> list[str]:
    return [one[7] for one in found.people]


@pytest.mark.parametrize(
    "name",
    [
        "01_utf8",
        "02_utf8_mark",
        "03_utf16_le_mark",
        "04_utf16_be_mark",
        "05_utf16_le_no_mark",
        "06_utf16_be_no_mark",
        "07_windows_1252",
        "08_macintosh",
    ],
)
def test_these_encodings_are_read(name: str) -> None:
    assert last_names(read(f"{name}.csv")) == ["Muñoz", "Müller", "O\u2019Brien"]


@pytest.mark.parametrize("name", ["09_ms_dos", "10_latin_1"])
def test_encodings_without_a_curly_apostrophe_are_read(name: str) -> None:
    assert last_names(read(f"{name}.csv")) == ["Muñoz", "Müller"]


@pytest.mark.parametrize(
    ("name", "line", "fault"),
    [
        ("11_windows_1250", 3, ErrorCode.WRONG_ENCODING),
        ("12_gb18030", 4, ErrorCode.WRONG_ENCODING),
        ("13_windows_1251", 3, ErrorCode.WRONG_ENCODING),
        ("14_shift_jis", 3, ErrorCode.WRONG_ENCODING),
        ("18_nul", 3, ErrorCode.NOT_TEXT),
        ("21_two_encodings", 4, ErrorCode.MIXED_ENCODINGS),
        ("23_central_europe_letters", 3, ErrorCode.WRONG_ENCODING),
    ],
)
def test_a_file_in_an_encoding_that_is_not_known_is_refused_with_its_line(
    name: str, line: int, fault: ErrorCode
) -> None:
    with pytest.raises(TableError, match=f"line {line}:") as error:
        read(f"{name}.csv")

    assert error.value.fault is fault


@pytest.mark.parametrize(
    ("name", "row", "others"),
    [
        ("15_utf8_twice", 3, ["Lee", "Kim"]),
        ("16_utf8_as_macintosh", 3, ["Lee"]),
        ("17_windows_1250_as_utf8", 3, ["Lee", "Kim"]),
        ("19_ctrl_z_inside", 3, ["Lee", "Ng"]),
        ("22_bidirectional", 3, ["Lee"]),
    ],
)
def test_a_damaged_name_is_rejected_with_its_row_and_the_others_are_mailed(
    name: str, row: int, others: list[str]
) -> None:
    found = read(f"{name}.csv")

    assert [(one.row.number, one.reasons[0].code) for one in found.rejected] == [(row, ReasonCode.UNREADABLE)]
    assert last_names(found) == others


def test_the_end_mark_of_ms_dos_is_no_row() -> None:
    found = read("20_ctrl_z_at_the_end.csv")

    assert (last_names(found), found.rejected) == (["Lee", "Kim"], [])
