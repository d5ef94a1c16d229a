"""Turns a sheet of an Excel or OpenDocument workbook into CSV for `intake.csv.table`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, NoReturn, cast

from intake.errors import ErrorCode, TableError

LARGEST_WORKBOOK: Final = 64 * 2**20
"""Bytes. A million rows of people take about as much."""
LARGEST_CONTENT: Final = 1024 * 2**20
"""Bytes of what a workbook unpacks to."""
_MOST_SECONDS: Final = 180
_ZIP_MARK: Final = b"PK\x03\x04"
_READER: Final = Path(__file__).with_name("sheet_reader.py")
_MOST_SHEETS_NAMED: Final = 20

# Which file of an archive tells its kind. None: a kind that is read here.
_KINDS: Final[dict[str, str | None]] = {
    "xl/workbook.xml": None,
    "content.xml": None,
    "xl/workbook.bin": "a binary Excel workbook (.xlsb): save it as .xlsx",
    "Index/Document.iwa": "a Numbers document: choose File > Export To > Excel or CSV there",
    "Index.zip": "a Numbers document: choose File > Export To > Excel or CSV there",
    "word/document.xml": "a Word document: copy the table into a spreadsheet and save that",
    "ppt/presentation.xml": "a PowerPoint presentation, not a list",
}


class SeveralSheetsError(TableError):
    """A workbook has several sheets with something in them, and none was named."""

    def __init__(self, sentence: str, sheets: Sequence[str]) -> None:
        super().__init__(ErrorCode.SEVERAL_SHEETS, sentence)
        self.sheets = tuple(sheets)


class Sheet(NamedTuple):
    """A sheet's name, and its rows as CSV in UTF-8."""

    name: str
    file: BinaryIO


def is_archive(start: bytes) -> bool:
    """Tell whether a file begins as workbooks do."""
    return start.startswith(_ZIP_MARK)


def read_sheet(file: BinaryIO, name: str, sheet: str | None) -> Sheet:
    """Return a sheet of a workbook: the one named, or the only one with something in it.

    Raises SeveralSheetsError if there is more than one, TableError for a file that is no workbook or too large.
    """
    _require_workbook(file, name)
    rows = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the table closes it
    try:
        found = _run(file, rows, name, sheet or "")
        if "trouble" in found:
            _refuse(found, name, sheet)
        rows.seek(0)
        return Sheet(found["sheet"], rows)
    except BaseException:
        rows.close()
        raise


def _require_workbook(file: BinaryIO, name: str) -> None:
    size = file.seek(0, 2)
    file.seek(0)
    if size > LARGEST_WORKBOOK:
        raise _too_large(name)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise _damaged(name) from None
    names = {member.filename for member in members}
    kind = next((told for mark, told in _KINDS.items() if mark in names), "a ZIP archive: unpack it first")
    if kind is not None:
        raise TableError(ErrorCode.NOT_TEXT, f"{name} is {kind}.")
    if sum(member.file_size for member in members) > LARGEST_CONTENT:
        raise _too_large(name)


def _run(file: BinaryIO, rows: BinaryIO, name: str, sheet: str) -> dict[str, Any]:
    """Run the reader; it may be stopped by its limits, or abort for want of memory."""
    command = [sys.executable, "-I", str(_READER), sheet]
    with tempfile.TemporaryFile() as copy:
        source = _with_descriptor(file, cast("BinaryIO", copy))
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                command, stdin=source, stdout=rows, stderr=subprocess.PIPE, check=False, timeout=_MOST_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise _too_large(name) from None
    if done.returncode < 0 or b"MemoryError" in done.stderr or b"overflow" in done.stderr:
        raise _too_large(name)
    try:
        found = json.loads(done.stderr.splitlines()[-1])
    except (IndexError, ValueError):
        raise _damaged(name) from None
    return dict(found)


def _with_descriptor(file: BinaryIO, copy: BinaryIO) -> BinaryIO:
    """Return the file from its start as the system knows it, or a copy of one that is only in memory."""
    file.seek(0)
    try:
        # A buffered file may be elsewhere than the system's own place in it.
        os.lseek(file.fileno(), 0, os.SEEK_SET)
    except (OSError, AttributeError):
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        return copy
    return file


def _refuse(found: dict[str, Any], name: str, wanted: str | None) -> NoReturn:
    sheets = [str(one) for one in found.get("sheets", ())]
    named = ", ".join(f'"{one}"' for one in sheets[:_MOST_SHEETS_NAMED])
    match found["trouble"]:
        case "password":
            raise TableError(ErrorCode.NOT_TEXT, f"{name} has a password: save it without one.")
        case "unknown":
            raise TableError(
                ErrorCode.UNKNOWN_SHEET, f'{name} has no sheet "{wanted}"; its sheets are {named}.'
            )
        case "several":
            raise SeveralSheetsError(f"{name} has several sheets, {named}: name one with --sheet", sheets)
    raise TableError(ErrorCode.EMPTY_FILE, f"{name} has nothing in any visible sheet.")


def _too_large(name: str) -> TableError:
    return TableError(
        ErrorCode.TOO_LARGE,
        f"{name} is too large for a workbook, or claims cells far outside of its rows: save the list as CSV UTF-8.",
    )


def _damaged(name: str) -> TableError:
    return TableError(ErrorCode.NOT_TEXT, f"{name} is a damaged workbook: open it and save it anew.")
