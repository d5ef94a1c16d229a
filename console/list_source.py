"""The list that a command names: a file, or standard input as `-`; and the mapping given with it."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import typer

from console.errors import UsageError
from console.output import print_note
from console.session import Session
from intake.csv.column_checks import Needs, require_an_address
from intake.csv.columns import match_columns
from intake.csv.saved_mappings import find_mapping, save_mapping
from intake.csv.table import Table
from intake.csv.workbooks import SeveralSheetsError
from intake.events.config_files import DocumentError, parse
from worker.clock import system_clock

STANDARD_INPUT: Final = Path("-")
_STANDARD_INPUT_NAME: Final = "standard input"
_LARGEST_MAPPING: Final = 262_144


@contextmanager
def open_source(file: Path) -> Iterator[Path]:
    """Yield the file, or a copy of standard input, which is read more than once."""
    if file != STANDARD_INPUT:
        yield file
        return
    if sys.stdin.isatty():
        raise UsageError("- is the list on standard input: pipe it to the command")
    with tempfile.TemporaryDirectory(prefix="mailrun-list-") as directory:
        copy = Path(directory) / _STANDARD_INPUT_NAME
        with copy.open("xb") as out:
            shutil.copyfileobj(sys.stdin.buffer, out)
        yield copy


def rejects_beside(file: Path) -> Path:
    """Return where the rejected rows of a list go: beside it, or here for standard input."""
    if file == STANDARD_INPUT:
        return Path("standard-input.rejected.csv")
    return file.with_suffix(".rejected.csv") if file.name else Path("rejected.csv")


def read_headings(file: Path, sheet: str | None, *, may_ask: bool) -> tuple[tuple[str, ...], str | None]:
    """Return the headings of a list, and of a workbook the sheet; ask for it where a person can answer."""
    try:
        with Table.open(file, sheet=sheet) as table:
            return table.headings, table.sheet
    except SeveralSheetsError as several:
        if not may_ask:
            raise
        print_note(f"{file.name} has several sheets: {', '.join(several.sheets)}")
        chosen = str(typer.prompt("Which one", default=several.sheets[0]))
    return read_headings(file, chosen, may_ask=may_ask)


def mapping_from(given: Iterable[str]) -> dict[str, str] | None:
    """Return what HEADING=FIELD pairs, and files of them, say; None where nothing is given."""
    said: dict[str, str] = {}
    for one in given:
        heading, equals, field = one.rpartition("=")
        if equals and heading and field:
            said[heading] = field
        elif not equals and Path(one).is_file():
            said |= _mapping_file(Path(one))
        else:
            raise UsageError(
                f'--mapping "{one}": must be HEADING=FIELD, such as "Ship to=address1", or a file of such pairs'
            )
    return said or None


def saved_mapping(session: Session, headings: tuple[str, ...]) -> Mapping[str, str] | None:
    """Return the mapping that was saved for these headings, having said so."""
    with session.engine.connect() as connection:
        found = find_mapping(connection, headings)
    if found is None:
        return None
    print_note(f'The saved mapping "{found.name}" is for lists with these headings: it is used.')
    return found.mapping


def require_mapping(save_as: str | None, mapping: Mapping[str, str] | None) -> None:
    """Raise UsageComplaint where a mapping is to be saved and none is given."""
    if save_as is not None and mapping is None:
        raise UsageError("--save-mapping keeps the mapping given: add --mapping as well")


def keep_mapping(
    session: Session,
    name: str,
    headings: tuple[str, ...],
    mapping: Mapping[str, str],
    who: str,
    *,
    needs: Needs = require_an_address,
) -> None:
    """Save a mapping for lists with these headings; raises ColumnsError for one by which they cannot be read."""
    match_columns(headings, mapping, needs=needs)
    with session.engine.begin() as connection:
        save_mapping(connection, name, headings, mapping, who=who, now=system_clock())
    print_note(f'The mapping is saved as "{name}": lists with these headings are read by it from now on.')


def _mapping_file(path: Path) -> dict[str, str]:
    """Return the pairs of a file: a JSON, YAML or TOML document, or lines of HEADING=FIELD."""
    text = path.read_bytes()[:_LARGEST_MAPPING].decode("utf-8-sig", errors="replace")
    kind = path.suffix.lower()
    try:
        if kind == ".json":
            document = json.loads(text)
        elif kind in {".yaml", ".yml", ".toml"}:
            document = parse(text, path.name)
        else:
            lines = [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
            return mapping_from([line if "=" in line else f"{line}=" for line in lines]) or {}
    except (DocumentError, ValueError) as error:
        raise UsageError(f"--mapping {path}: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict) or not all(isinstance(field, str) for field in document.values()):
        raise UsageError(f'--mapping {path}: must hold pairs such as {{"Ship to": "address1"}}')
    return {str(heading): field for heading, field in document.items()}
