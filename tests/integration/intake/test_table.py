import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.csv.records import Row
from intake.csv.table import DELIMITERS, Table
from intake.errors import ErrorCode, IntakeError, TableError

PEOPLE = "First name,City,ZIP\r\nJosé,Cañon City,81212\r\nZoë,Über,00501\r\n"


def read(content: bytes) -> list[Row]:
    with Table.open(io.BytesIO(content)) as table:
        return list(table.rows())


def refused(content: bytes) -> IntakeError:
    with pytest.raises(TableError) as error:
        read(content)
    assert "\n" not in str(error.value)
    return error.value


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "mac_roman", "cp850"]
)
def test_a_table_reads_the_same_in_every_encoding_a_spreadsheet_writes(encoding: str) -> None:
    rows = read(PEOPLE.encode(encoding))

    assert rows == [Row(2, 2, ["José", "Cañon City", "81212"]), Row(3, 3, ["Zoë", "Über", "00501"])]


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
@pytest.mark.parametrize(
    "text",
    [
        "Pat O\u2019Brien",
        "James\u2019 D\u2019Angelo",
        "Ann \u201cNan\u201d Lee",
        "Smith\u2013Jones",
        "Renée Müller",
        "MUÑOZ PEÑA",
        "Élodie Ángel",
        "10 € off",
        "12\xa0Oak St",
        "Offer • now",
    ],
)
def test_a_single_name_or_sign_tells_windows_from_macintosh(text: str, encoding: str) -> None:
    """Most American lists hold nothing but ASCII and, here and there, the apostrophe that Word put in."""
    assert read(f"Name,ZIP\n{text},62701\n".encode(encoding))[0].cells[0].split() == text.split()


def test_big_endian_utf_16_with_its_mark_is_read() -> None:
    assert read(b"\xfe\xff" + PEOPLE.encode("utf-16-be"))[0].cells[0] == "José"


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
def test_every_delimiter_and_line_ending_is_found_out(delimiter: str, ending: str) -> None:
    text = PEOPLE.replace(",", delimiter).replace("\r\n", ending)

    assert [row.cells[1] for row in read(text.encode())] == ["Cañon City", "Über"]


def test_commas_inside_cells_do_not_hide_a_semicolon() -> None:
    rows = read(b"Name;Address, line 1;City\nAnn Lee;12 Oak St, Apt 4;Reno\nBo Kim;9 Elm St, Apt 5;Reno\n")

    assert rows[0].cells == ["Ann Lee", "12 Oak St, Apt 4", "Reno"]


def test_the_delimiter_that_excel_names_in_a_line_of_its_own_is_obeyed_and_not_counted_as_a_row() -> None:
    assert read(b"sep=|\nName|City\nAnn|Reno\n") == [Row(2, 3, ["Ann", "Reno"])]


def test_a_space_before_a_quote_does_not_break_the_cell() -> None:
    assert read(b'Name, City\nAnn, "Reno, NV"\n')[0].cells == ["Ann", "Reno, NV"]


def test_rows_are_numbered_as_a_spreadsheet_shows_them_and_lines_as_an_editor_does() -> None:
    rows = read(b'Name,City\n"Ann\nLee",Reno\n\n,\nBo,Elko\n')

    assert [(row.number, row.line) for row in rows] == [(2, 2), (5, 6)]


def test_short_rows_are_filled_and_empty_cells_behind_the_last_column_dropped() -> None:
    rows = read(b"Name,City,ZIP\nAnn,Reno\nBo,Elko,89801,,\nCy,Elko,89801,x\n")

    assert [row.cells for row in rows] == [
        ["Ann", "Reno", ""],
        ["Bo", "Elko", "89801"],
        ["Cy", "Elko", "89801", "x"],
    ]


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="There is no file") as missing:
        Table.open(tmp_path / "people.csv")
    with pytest.raises(TableError, match="is a folder") as folder:
        Table.open(tmp_path)

    assert (missing.value.fault, folder.value.fault) == (ErrorCode.MISSING_FILE, ErrorCode.NOT_A_FILE)


@pytest.mark.parametrize("content", [b"", b" \r\n\r\n", b"\xef\xbb\xbf", b",,\n,,\n"])
def test_an_empty_file_says_so(content: bytes) -> None:
    assert refused(content).fault is ErrorCode.EMPTY_FILE


@pytest.mark.parametrize("content", [b"Name,City", b"Name,City\n,\n\n"])
def test_headings_without_rows_say_so(content: bytes) -> None:
    assert refused(content).fault is ErrorCode.NO_ROWS


def test_a_quote_never_closed_is_reported_with_the_line_that_opened_it() -> None:
    filler = "".join(f'Ann{n},"Reno, NV"\n' for n in range(50_000))
    error = refused(f'Name,City\nBo,Elko\n"Cy,Elko\n{filler}'.encode())

    assert error.fault is ErrorCode.OPEN_QUOTE
    assert "line 3:" in str(error)


def test_a_quote_opened_in_a_later_line_of_a_row_is_reported_with_its_own_line() -> None:
    error = refused(b'Name,City\n"Ann\nLee","Reno\nBo,Elko\n')

    assert "line 3:" in str(error)


def test_an_open_quote_does_not_swallow_the_rest_of_a_file_without_quotes() -> None:
    error = refused(b'Name,City\n"Cy,Elko\n' + b"Ann,Reno\n" * 200_000)

    assert error.fault is ErrorCode.OPEN_QUOTE
    assert "line 2:" in str(error)


def test_a_quote_that_joins_rows_by_accident_is_not_taken_for_one_long_cell() -> None:
    error = refused(b'Name,City,ZIP\n"Cy,Elko,89801\nAnn,Reno,89501\nBo,"",89801\n"",Reno,89501\n')

    assert error.fault is ErrorCode.OPEN_QUOTE


def test_a_line_without_end_is_refused() -> None:
    assert refused(b"Name,City\n" + b"Ann,Reno," * 200_000).fault is ErrorCode.LINE_TOO_LONG


def test_a_cell_too_long_for_any_list_is_refused_with_its_line() -> None:
    error = refused(b"Name,City\nAnn," + b"x" * 200_000 + b"\n")

    assert error.fault is ErrorCode.LINE_TOO_LONG
    assert "line 2:" in str(error)


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-1.7", b"\x1f\x8b\x08"],
    ids=["xlsx", "xls", "pdf", "gzip"],
)
def test_a_workbook_or_other_kind_of_file_is_told_by_its_kind(content: bytes) -> None:
    error = refused(content + b"rest")

    assert error.fault is ErrorCode.NOT_TEXT
    assert "save" in str(error)


def test_fifty_megabytes_of_garbage_are_refused(tmp_path: Path) -> None:
    garbage = tmp_path / "list.csv"
    garbage.write_bytes(b"x" + os.urandom(1 << 20) * 50)

    with pytest.raises(TableError) as error:
        Table.open(garbage)

    assert error.value.fault is ErrorCode.NOT_TEXT


def test_a_nul_far_inside_a_text_is_found_with_its_line() -> None:
    error = refused(b"Name,City\n" + b"Ann,Reno\n" * 200_000 + b"Bo\0,Elko\n")

    assert error.fault is ErrorCode.NOT_TEXT
    assert "line 200002:" in str(error)


def test_two_encodings_in_one_file_are_refused_with_the_first_odd_line() -> None:
    lines = ["Name,City", "José,Reno", "Zoë,Elko", "Peña,Ely"]
    error = refused("\n".join(lines).encode() + "\nNoël,Elko\n".encode("cp1252"))

    assert error.fault is ErrorCode.MIXED_ENCODINGS
    assert "line 5:" in str(error)


def test_a_stream_that_cannot_be_read_twice_is_still_read() -> None:
    end_to_read, end_to_write = os.pipe()
    os.write(end_to_write, b"Name,City\nAnn,Reno\n")
    os.close(end_to_write)

    with os.fdopen(end_to_read, "rb") as pipe, Table.open(pipe, "standard input") as table:
        assert [row.cells for row in table.rows()] == [["Ann", "Reno"]]


def test_rows_can_be_read_again_from_the_first() -> None:
    with Table.open(io.BytesIO(PEOPLE.encode())) as table:
        assert list(table.rows()) == list(table.rows())


HEADINGS = ("First name", "Street", "Note")
CELLS = st.text(
    st.characters(codec="cp1252", exclude_categories=["Cc"]) | st.sampled_from("\n\t\",;|'"), max_size=20
)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=30),
    delimiter=st.sampled_from(DELIMITERS),
    ending=st.sampled_from(["\r\n", "\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_a_csv_writer_wrote_reads_back_equal(
    rows: list[tuple[str, str, str]], delimiter: str, ending: str, quoting: int, encoding: str
) -> None:
    people = [["Ann", "12 Oak St", "x"], *([cell.replace("\n", ending) for cell in row] for row in rows)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writerows([HEADINGS, *people])

    found = [[cell.lstrip(" ") for cell in row.cells] for row in read(text.getvalue().encode(encoding))]

    assert found == [[cell.lstrip(" ") for cell in row] for row in people if "".join(row).strip()]


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused_in_one_line(content: bytes) -> None:
    assert "\n" not in refusal_of(content)


def refusal_of(content: bytes) -> str:
    try:
        read(content)
    except TableError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("characters", [1, 5, 17, 40])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_where_a_block_happens_to_end_changes_no_row(
    monkeypatch: pytest.MonkeyPatch, characters: int, ends: str
) -> None:
    lines = [
        "sep=,",
        "Name,City",
        "Ann,Reno",
        "",
        '"Lee, Bo",Boston',
        '"two',
        'lines",Reno',
        ",",
        "Cy,",
        "Di,Austin",
    ]
    text = ends.join(lines).encode()
    whole = read(text)
    monkeypatch.setattr("intake.csv.records._BLOCK_CHARACTERS", characters)

    assert read(text) == whole
    assert [(row.number, row.line) for row in whole] == [(2, 3), (4, 5), (5, 6), (7, 9), (8, 10)]


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (b"Name;Street, city, state, ZIP\nAnn;1 Oak St\nBo;2 Elm St\n", ["Ann", "1 Oak St"]),
        (b"Name\tNote\nAnn\ta, b\nBo\tc\nCal\td, e, f\n", ["Ann", "a, b"]),
        (b"Name|Plans; prices; notes; more\nAnn|gold\nBo|silver\n", ["Ann", "gold"]),
    ],
)
def test_a_delimiter_that_all_rows_agree_on_comes_before_one_with_more_columns(
    content: bytes, cells: list[str]
) -> None:
    assert read(content)[0].cells == cells
