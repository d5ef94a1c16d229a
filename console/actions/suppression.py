"""What the commands do that keep people from being mailed, or forget them."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from console.actions.decisions import who
from console.errors import CommandError, UsageError
from console.list_source import (
    keep_mapping,
    mapping_from,
    open_source,
    read_headings,
    rejects_beside,
    require_mapping,
    saved_mapping,
)
from console.output import plain, print_note, print_result, show_json, show_lines
from console.private_files import save_private
from console.queries.suppression import suppression_lists
from console.questions import require_terminal
from console.session import Session, open_session
from console.views.formatting import count
from console.views.suppression import list_table
from intake import privacy
from intake.csv.column_checks import require_a_mark
from intake.options import Options
from intake.recipients.digests import installation_key
from intake.recipients.identity import identify
from intake.recipients.strictness import Strictness
from intake.recipients.validator import RecipientDraft
from intake.suppression import lists
from intake.suppression.import_file import import_list
from intake.suppression.lists import Origin
from models import DO_NOT_MAIL, IdentityKind
from worker.clock import system_clock
from worker.periodic.retention import delete_saved_proofs
from worker.recipients.policy import FrequencyCap, RecipientPolicy

COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Named:
    """Somebody as the command line names them."""

    name: str | None = None
    organization: str | None = None
    address: str | None = None
    unit: str | None = None
    zip_code: str | None = None
    email: str | None = None
    customer_id: str | None = None

    def marks(self, session: Session) -> Mapping[IdentityKind, bytes]:
        """Return their marks; raises UsageComplaint if nobody is named."""
        entry = RecipientDraft(
            full_name=self.name or "",
            organization=self.organization or "",
            address1=self.address or "",
            address2=self.unit or "",
            zip_code=self.zip_code or "",
            email=self.email or "",
            customer_id=self.customer_id or "",
        )
        with session.engine.connect() as connection:
            found = identify(entry, installation_key(connection))
        if found.reasons:
            raise UsageError(
                "who is meant? Give --email, --customer-id, or --address with --zip, and --name if it is one person"
            )
        return found.marks


def spared(
    options: Options, strictness: str, suppress: Iterable[str], cap: str | None, *, household: bool
) -> Options:
    """Return the options with whom they spare; raises UsageComplaint for a strictness or a cap that is none."""
    strict = strictness_named(strictness)
    try:
        wanted = None if cap is None else FrequencyCap.parse(cap)
    except ValueError as error:
        raise UsageError(f'--cap "{cap}": {error}') from None
    rules = RecipientPolicy(lists=tuple(dict.fromkeys(suppress)), cap=wanted, one_per_household=household)
    return replace(options, sparing=rules, strictness=strict)


def strictness_named(word: str) -> Strictness:
    """Return a strictness by its name; raises UsageComplaint if there is none."""
    if word.casefold() not in list(Strictness):
        raise UsageError(f'--strictness "{word}": there are {", ".join(Strictness)}')
    return Strictness(word.casefold())


def suppress(somebody: Named, name: str) -> None:
    """Put somebody on a list."""
    with open_session() as session:
        marks = somebody.marks(session)
        origin = Origin(list=name, source=COMMAND_LINE, who=who(), now=system_clock())
        with session.engine.begin() as connection:
            lists.open_list(connection, name)
            added = lists.add(connection, [(digest, mark) for mark, digest in marks.items()], origin)
    known = _by(marks)
    print_result(f"On {name}, {known}." if added else f"Was on {name} already, {known}.")
    print_note("It holds at once for all that is not checked out.")


def release(somebody: Named, name: str) -> int:
    """Take somebody off a list; returns 1 if they were not on it."""
    with open_session() as session:
        marks = somebody.marks(session)
        with session.engine.begin() as connection:
            lists.require_lists(connection, [name])
            gone = lists.remove(connection, marks.values(), name)
    print_result(f"Taken off {name}, {_by(marks)}." if gone else f"Was not on {name}, {_by(marks)}.")
    return 0 if gone else 1


def suppress_file(
    file: Path,
    name: str,
    given: list[str],
    rejects: Path | None,
    *,
    save_mapping: str | None,
    sheet: str | None,
    households: bool,
) -> None:
    """Add the people of a file to a list."""
    mapping: Mapping[str, str] | None = mapping_from(given)
    require_mapping(save_mapping, mapping)
    rejects = rejects or rejects_beside(file)
    with open_source(file) as source:
        headings, sheet = read_headings(source, sheet, may_ask=sys.stdin.isatty())
        with open_session() as session:
            if mapping is None:
                mapping = saved_mapping(session, headings)
            elif save_mapping is not None:
                keep_mapping(session, save_mapping, headings, mapping, who(), needs=require_a_mark)
            done = import_list(
                session.engine,
                source,
                who=who(),
                name=name,
                mapping=mapping,
                sheet=sheet,
                households=households,
                rejected_to=rejects,
            )
    print_result(
        f"{count(done.rows, 'row')}: {count(done.added, 'entry', 'entries')} added to {name}, "
        f"{done.known:,} known before."
    )
    if done.rejected:
        row, why = done.first_rejected[0]
        print_result(
            f"{count(done.rejected, 'row')} not understood in full, the first is row {row}: {why} See {rejects}"
        )


def list_lists(*, as_json: bool) -> None:
    """Show the lists and how long they are."""
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = suppression_lists(connection)
        if as_json:
            show_json(session.vendor, lists=found)
        else:
            print_result(list_table(found))


def export_person(somebody: Named, output: Path) -> None:
    """Write what is kept about somebody to a file that only its owner can read."""
    with open_session() as session:
        marks = _one_person(somebody.marks(session))
        with session.engine.connect() as connection:
            found = privacy.export(connection, marks)
    save_private(output, (json.dumps(found, default=plain, indent=2) + "\n").encode())
    pieces, events = count(len(found["pieces"]), "piece"), count(len(found["events"]), "event")
    show_lines(f"Saved {output}: {pieces}, {events}, {count(len(found['suppressions']), 'suppression')}.")


def erase_person(somebody: Named, *, yes: bool) -> None:
    """Forget somebody, once a person has agreed to it."""
    require_terminal("erase", yes=yes)
    with open_session() as session:
        marks = _one_person(somebody.marks(session))
        with session.engine.connect() as connection:
            pieces = len(privacy.export(connection, marks)["pieces"])
        asked = f"Blank {count(pieces, 'piece')} and never mail them again? This cannot be undone."
        if not (yes or typer.confirm(asked, default=False)):
            raise CommandError("nothing was erased")
        with session.engine.begin() as connection:
            done = privacy.erase(connection, marks, who(), system_clock())
        delete_saved_proofs(session.settings.data_dir, done.proofs)
    print_result(
        f"Blanked {count(done.blanked, 'piece')} and {count(len(done.proofs), 'proof')}; "
        f"{count(done.suppressed, 'mark')} added to {DO_NOT_MAIL}."
    )
    if done.pending:
        print_result(
            f"{count(done.pending, 'piece')} on mailings under way: dropped there, blanked once those ended."
        )
    if done.waiting:
        print_result(f"{count(done.waiting, 'event')} in a gathering: blanked, and not in its order.")
    print_note(
        "LettrLabs keeps what it was sent, and backups what they saved: ask there, and let old backups go."
    )


def _one_person(marks: Mapping[IdentityKind, bytes]) -> Mapping[IdentityKind, bytes]:
    own: dict[IdentityKind, bytes] = {
        mark: digest for mark, digest in marks.items() if mark is not IdentityKind.ADDRESS
    }
    if not own:
        raise UsageError("an address is not one person: give --name with it, or --email or --customer-id")
    return own


def _by(marks: Iterable[IdentityKind]) -> str:
    return f"by {', '.join(marks)}"
