"""Archiving at the command line: old evidence to a file, with a word about how far it is."""

from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from console.errors import CommandError, UsageError
from console.output import print_note, print_result
from console.session import open_session
from console.views.formatting import count
from worker.audit.archive import Archived, ArchiveError, archive_old_entries
from worker.clock import system_clock

_EACH = 10_000


def archive_evidence(before: str, output: Path) -> None:
    """Move the evidence of mailings that ended before a date, in the installation's zone, to a new file."""
    with open_session() as session:
        since = _start_of(before, session.settings.zone)
        try:
            done = archive_old_entries(session.engine, since, output, system_clock(), _remark)
        except ArchiveError as error:
            raise UsageError(str(error)) from None
        except FileExistsError:
            raise CommandError(f"there is a file {output} already: name a new one") from None
        except OSError as error:
            raise CommandError(f"cannot write {output}: {error.strerror}") from error
    if not done.rows:
        print_result(f"No mailing that ended before {before} has evidence left to archive.")
        return
    print_result(
        f"Archived {count(done.rows, 'row')} of evidence about {count(done.mailings, 'mailing')} to {output}."
    )


def _start_of(before: str, zone: str) -> datetime:
    try:
        day = datetime.strptime(before, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, which the zone makes an instant
    except ValueError:
        raise UsageError("--before is a date, such as 2026-01-31") from None
    return datetime.combine(day, time(), ZoneInfo(zone))


def _remark(done: Archived) -> None:
    if done.mailings % _EACH == 0:
        print_note(f"{done.mailings:,} mailings looked through, {done.rows:,} rows archived")
