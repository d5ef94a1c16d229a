"""Suppression files: a table of people who are not to be mailed, such as a mail preference service gives out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from intake.csv.column_checks import require_a_mark
from intake.csv.columns import Columns, match_columns
from intake.csv.importer import TOO_MANY_CELLS
from intake.csv.preview import Source, rejected_rows
from intake.csv.records import Row
from intake.csv.rejected_rows import RejectedRows
from intake.csv.saved_mappings import mapping_for
from intake.csv.table import Table
from intake.errors import ErrorCode, IntakeError
from intake.recipients.digests import installation_key
from intake.recipients.identity import Identity, identify
from intake.suppression.lists import EntryDigest, Origin, add, open_list
from models import DO_NOT_MAIL
from worker.clock import Clock, system_clock

IMPORT_BATCH_SIZE: Final = 5_000
_FIRST_REJECTED: Final = 20


@dataclass(slots=True)
class Imported:
    """What a file added to a list: rows, entries that were new and that were known, rows not understood in full."""

    rows: int = 0
    added: int = 0
    known: int = 0
    rejected: int = 0
    first_rejected: list[tuple[int, str]] = field(default_factory=list, repr=False)


def import_list(
    engine: Engine,
    source: Source,
    *,
    who: str,
    name: str = DO_NOT_MAIL,
    mapping: Mapping[str, str] | None = None,
    sheet: str | None = None,
    households: bool = False,
    rejected_to: Path | None = None,
    clock: Clock = system_clock,
) -> Imported:
    """Add everybody of a table to a list, all of it or nothing; again, it adds nobody twice.

    Without `mapping`, the list is read by the one that was saved for its headings. Every mark of a row is added; with
    `households` only its address, so that no one there is mailed.

    Raises TableError, ColumnsError, or IntakeError if no row names a person.
    """
    with Table.open(source, sheet=sheet, known=mapping or ()) as table:
        if mapping is None:
            mapping = mapping_for(engine, table.headings)
        columns = match_columns(table.headings, mapping, needs=require_a_mark)
        with engine.begin() as connection, rejected_rows(rejected_to, table) as rejected:
            open_list(connection, name)
            origin = Origin(list=name, source=table.name, who=who, now=clock())
            return _add_all(
                connection, _identities(connection, table, columns, households=households), origin, rejected
            )


def _identities(
    connection: Connection, table: Table, columns: Columns, *, households: bool
) -> Iterator[tuple[Row, Identity]]:
    read, key, width = columns.reader(), installation_key(connection), columns.width
    for found in table.blocks():
        block, arranged, _ = columns.arrange(found)
        for at, cells in enumerate(arranged):
            if len(cells) > width:
                yield block.row(at), Identity({}, (TOO_MANY_CELLS,))
            else:
                yield block.row(at), identify(read(cells)[0], key, households=households)


def _add_all(
    connection: Connection,
    found: Iterator[tuple[Row, Identity]],
    origin: Origin,
    rejected: RejectedRows | None,
) -> Imported:
    done = Imported()
    entries: set[EntryDigest] = set()
    for row, somebody in found:
        done.rows += 1
        entries |= {(digest, mark) for mark, digest in somebody.marks.items()}
        if somebody.reasons:
            _reject(done, row, somebody, rejected)
        if len(entries) >= IMPORT_BATCH_SIZE:
            _add(connection, entries, origin, done)
    _add(connection, entries, origin, done)
    if not done.added + done.known:
        number, sentence = done.first_rejected[0]
        raise IntakeError(
            ErrorCode.NOBODY_TO_MAIL,
            f"None of the {done.rows:,} rows names a person; row {number}: {sentence}",
        )
    return done


def _add(connection: Connection, entries: set[EntryDigest], origin: Origin, done: Imported) -> None:
    added = add(connection, entries, origin)
    done.added += added
    done.known += len(entries) - added
    entries.clear()


def _reject(done: Imported, row: Row, somebody: Identity, rejected: RejectedRows | None) -> None:
    done.rejected += 1
    if len(done.first_rejected) < _FIRST_REJECTED:
        done.first_rejected.append((row.number, somebody.reasons[0].sentence))
    if rejected:
        rejected.write(row, somebody.reasons)
