"""Turns one sheet of a workbook into CSV, as a program of its own.

A workbook can claim a cell in its last row and column. Its reader then asks for more memory than there is, and is
aborted. So `intake.csv.workbooks` runs this file with limits. The workbook is standard input, the CSV
standard output; the last line of standard error says what was found, as JSON. It imports nothing of Mailrun.
"""

import csv
import datetime as dt
import json
import resource
import sys
from typing import Any, NoReturn

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

MOST_MEMORY = 1536 * 2**20
MOST_OUTPUT = 512 * 2**20
MOST_CPU_SECONDS = 120


def main() -> None:
    """Write the sheet that is named in the first argument, or else the only one with something in it."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_OUTPUT, MOST_OUTPUT))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        workbook = CalamineWorkbook.from_filelike(sys.stdin.buffer)
        sheet = _chosen(workbook, sys.argv[1] if len(sys.argv) > 1 else "")
        _write(sheet)
    except PasswordError:
        _end(trouble="password")
    _end(sheet=sheet.name)


def _chosen(workbook: CalamineWorkbook, wanted: str) -> CalamineSheet:
    names = [one.name for one in workbook.sheets_metadata if one.visible is SheetVisibleEnum.Visible]
    if wanted:
        found = [name for name in workbook.sheet_names if name.casefold() == wanted.casefold()]
        return workbook.get_sheet_by_name(found[0]) if found else _end(trouble="unknown", sheets=names)
    filled = [sheet for sheet in map(workbook.get_sheet_by_name, names) if sheet.start is not None]
    if len(filled) == 1:
        return filled[0]
    return _end(trouble="several" if filled else "empty", sheets=[sheet.name for sheet in filled])


def _write(sheet: CalamineSheet) -> None:
    out = csv.writer(open(1, "w", encoding="utf-8", newline="", closefd=False))  # noqa: SIM115 - a descriptor
    # The empty rows above the first cell come too, so that rows have the numbers that the spreadsheet shows.
    for row in sheet.iter_rows():
        out.writerow(map(_text, row))


def _text(cell: Any) -> str:  # noqa: ANN401 - whatever a cell may hold
    """Return a cell as text: a whole number without a fraction, times as ISO 8601."""
    match cell:
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            return str(int(cell)) if cell.is_integer() else repr(cell)
        case dt.datetime():
            return cell.isoformat(" ", "seconds")
        case dt.date() | dt.time():
            return cell.isoformat()
    return str(cell)


def _end(**found: object) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.write("\n" + json.dumps(found) + "\n")
    sys.exit(1 if "trouble" in found else 0)


if __name__ == "__main__":
    main()
