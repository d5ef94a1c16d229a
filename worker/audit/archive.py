"""Archiving: the evidence of mailings that ended long ago goes to a file, and out of the tables.

Evidence is the journal of calls and the log of moves: most of what a mailing leaves behind, without personal data,
and read by nobody once the mailing has ended. The mailing itself stays, with its key, digests, quotes, charges and
people: a key still refuses a duplicate, every sum is as it was, caps count on, and who asks to be erased is found.

What is deleted is in the file before, on the disk. An archiving that is interrupted has taken out whole batches; one
batch may then stand in two files, each row under its own id.
"""

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy import Connection, Engine, text

YOUNGEST: Final = timedelta(days=30)
"""The look for strays goes back a day, a dispute over a charge some weeks: evidence so young may still be needed."""

ARCHIVE_BATCH_SIZE: Final = 500

_ENDED: Final = text("""
    SELECT id
      FROM mailing
     WHERE id > :after
       AND state IN ('sent', 'failed', 'cancelled')
       AND updated_at < :before
     ORDER BY id
     LIMIT :at_once
""")
_TAKEN: Final = {
    table: text(f"DELETE FROM {table} WHERE mailing_id = ANY(:mailings) RETURNING to_jsonb({table})::text")  # noqa: S608 - of the two names below
    for table in ("vendor_call", "event_log")
}


class ArchiveError(ValueError):
    """One line: why nothing can be archived."""


@dataclass(frozen=True, slots=True)
class Archived:
    """How many mailings were looked through, and how many rows of evidence they had."""

    mailings: int = 0
    rows: int = 0


def archive_old_entries(
    engine: Engine,
    before: datetime,
    path: Path,
    now: datetime,
    progress: Callable[[Archived], None] = lambda _: None,
) -> Archived:
    """Move the evidence of all mailings that ended before a time to a new file, a commit for each few hundred.

    The file is gzip, one JSON object a line: ``{"table": ..., "row": {...}}``. None is left if there was no evidence.
    Raises ArchiveError for a time too near, and FileExistsError or another OSError if the file cannot be written.
    """
    if before > now - YOUNGEST:
        raise ArchiveError(f"evidence is kept for {YOUNGEST.days} days at least: name an earlier date")
    done, after = Archived(), 0
    with _new_file(path) as file:
        while True:
            with engine.begin() as connection:
                bounds = {"after": after, "before": before, "at_once": ARCHIVE_BATCH_SIZE}
                mailings = list(connection.scalars(_ENDED, bounds))
                lines = _take(connection, mailings)
                _write(file, lines)
            if not mailings:
                break
            after = mailings[-1]
            done = Archived(done.mailings + len(mailings), done.rows + len(lines))
            progress(done)
    if not done.rows:
        path.unlink()
    return done


def _take(connection: Connection, mailings: list[int]) -> list[str]:
    return [
        f'{{"table": "{table}", "row": {row}}}\n'
        for table, statement in _TAKEN.items()
        for row in connection.scalars(statement, {"mailings": mailings})
    ]


def _write(file: BinaryIO, lines: list[str]) -> None:
    """Add a whole gzip member and have it on the disk: the rows are gone with the commit that follows."""
    if lines:
        file.write(gzip.compress("".join(lines).encode()))
        file.flush()
        os.fsync(file.fileno())


def _new_file(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    # Its name must outlast a power cut as well.
    folder = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return os.fdopen(handle, "wb")
