"""The rejected-rows file: what was not mailed, why, and the row as it stood."""

import csv
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Self

from intake.csv.columns import ORIGIN_HEADING, REASON_HEADINGS
from intake.csv.records import Row
from intake.errors import ErrorCode, IntakeError
from intake.reasons import NOT_TO_CORRECT, Reason


class RejectedRows:
    """Writes rejected rows to a CSV file, for as long as the `with` statement lasts.

    The file appears complete or not at all, only if a row can be corrected, and only its owner can read it. Each
    row names the campaign it comes from, by which a corrected list mails none of that campaign's people again. The
    original cells are kept as they were, also those that a spreadsheet would take for a formula: the file is for
    correcting and sending again, and a changed cell would be mailed changed.
    """

    def __init__(self, path: Path, headings: Sequence[str], origin: str = "") -> None:
        """Say where the file is to be, the headings of the table, and the name of the campaign it comes from."""
        self.path = path
        self.written = 0
        self._headings = headings
        self._origin = origin
        self._file: IO[str] | None = None
        self._rows: Any = None

    def __enter__(self) -> Self:
        return self

    def write(self, row: Row, reasons: Sequence[Reason]) -> None:
        """Add a row, unless its first reason is nothing that a correction could change."""
        if reasons[0].code in NOT_TO_CORRECT:
            return
        if self._file is None:
            self._file = _private_file_beside(self.path)
            self._rows = csv.writer(self._file)
            named = [ORIGIN_HEADING] if self._origin else []
            self._rows.writerow([*REASON_HEADINGS, *named, *self._headings])
        codes = " ".join(reason.code for reason in reasons)
        sentences = " ".join(reason.sentence for reason in reasons)
        self._rows.writerow([row.number, codes, sentences, *filter(None, [self._origin]), *row.cells])
        self.written += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file is None:
            return
        self._file.close()
        finished = Path(self._file.name)
        try:
            if kind is None:
                finished.replace(self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        finally:
            finished.unlink(missing_ok=True)


def _private_file_beside(path: Path) -> IO[str]:
    # The mark at its start tells a spreadsheet that this is UTF-8; mkstemp lets nobody else read it.
    try:
        return NamedTemporaryFile(
            "w", encoding="utf-8-sig", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
        )
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> IntakeError:
    return IntakeError(
        ErrorCode.UNWRITABLE_FILE, f"The rejected rows cannot be written to {path}: {error.strerror}."
    )
