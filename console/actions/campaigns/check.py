"""`campaign check`: a list looked over without queuing anything, and the mappings that were saved."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from console.actions.decisions import who
from console.errors import CommandError
from console.installation import has_database
from console.list_source import keep_mapping, open_source, read_headings, require_mapping, saved_mapping
from console.output import print_note, print_result, show_json
from console.progress import told
from console.queries.prices import PriceOfPiece, price_of_piece
from console.session import Session, open_session, settings_here
from console.views.formatting import count, money
from console.views.import_preview import (
    findings_facts,
    findings_told,
    mapping_table,
    reasons_table,
    rejected_table,
)
from intake.campaigns.recent_pieces import RecentSenders
from intake.csv.preview import ImportPreview, check_campaign
from intake.csv.saved_mappings import list_mappings, remove_mapping
from intake.recent_people import RecentPeople
from intake.recipients.strictness import Strictness
from worker.clock import system_clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is to be looked over, and what is known about it."""

    file: Path
    template: int | None
    mapping: Mapping[str, str] | None
    save_mapping: str | None
    sheet: str | None
    rejects: Path | None
    strictness: Strictness
    as_json: bool


def check(asked: Check) -> int:
    """Look a list over; return 1 if none of its rows can be mailed. Raises TableError, ColumnsError."""
    require_mapping(asked.save_mapping, asked.mapping)
    with open_source(asked.file) as file:
        headings, sheet = read_headings(file, asked.sheet, may_ask=False)
        with _session(create=asked.save_mapping is not None) as session:
            mapping = _mapping(session, asked, headings)
            recent = _recent_people(session, asked.template)
            findings = check_campaign(
                file,
                sheet=sheet,
                mapping=mapping,
                strictness=asked.strictness,
                key=recent.key if recent else b"",
                see=recent.count if recent else lambda _: None,
                rejected_to=asked.rejects,
                progress=told("Looked over"),
            )
            price = _price(session, asked.template)
    _tell(asked, findings, recent.senders if recent else None, price)
    return 0 if findings.tally.people else 1


def show_mappings(remove: str | None, *, as_json: bool) -> None:
    """List the saved mappings, or remove one."""
    with open_session(quiet=as_json) as session:
        if remove is not None:
            with session.engine.begin() as connection:
                removed = remove_mapping(connection, remove)
            if not removed:
                raise CommandError(f'there is no saved mapping "{remove}"')
            print_result(f'The mapping "{remove}" is removed.')
            return
        with session.engine.connect() as connection:
            saved = list_mappings(connection)
        if as_json:
            show_json(session.vendor, mappings=saved)
        else:
            print_result(
                mapping_table(saved) if saved else "No mapping is saved; see --save-mapping of campaign send."
            )


def _recent_people(session: Session | None, template: int | None) -> RecentPeople | None:
    """Return a count of the people who got the template lately, or None where none can be looked for."""
    if session is None or template is None:
        return None
    return RecentPeople(session.engine, template, system_clock() - session.settings.repeat_window)


@contextmanager
def _session(*, create: bool) -> Iterator[Session | None]:
    """Yield a session, or None where there is no installation: a list can be looked over all the same."""
    if not create and not has_database(settings_here()):
        yield None
        return
    with open_session(quiet=True, create=create) as session:
        yield session


def _mapping(session: Session | None, asked: Check, headings: tuple[str, ...]) -> Mapping[str, str] | None:
    if session is None:
        return asked.mapping
    if asked.mapping is None:
        return saved_mapping(session, headings)
    if asked.save_mapping is not None:
        keep_mapping(session, asked.save_mapping, headings, asked.mapping, who())
    return asked.mapping


def _price(session: Session | None, template: int | None) -> PriceOfPiece | None:
    if session is None or template is None:
        return None
    with session.engine.connect() as connection:
        return price_of_piece(connection, template)


def _tell(
    asked: Check, findings: ImportPreview, recent: RecentSenders | None, price: PriceOfPiece | None
) -> None:
    people = findings.tally.people
    total = None if price is None else (price.cost * people).quantize(Decimal("0.01"))
    if asked.as_json:
        lately = None if recent is None else {"people": recent.repeated, "from": recent.to_json()}
        show_json(
            "none", check=findings_told(findings), mailed_lately=lately, estimate=_estimate(price, total)
        )
        return
    print_result(findings_facts(findings))
    if findings.tally.rejected:
        print_result("", reasons_table(findings.tally), "", rejected_table(findings.tally))
    if recent is not None:
        got = f"{recent.describe(system_clock())}." if recent.repeated else "No one got this template lately."
        print_result("", got)
    if asked.template is not None:
        print_result(_price_words(people, price, total))
    print_note("Nothing is queued.")


def _estimate(price: PriceOfPiece | None, total: Decimal | None) -> dict[str, object] | None:
    """Return the estimate and what it is based on, as members of a JSON document."""
    if price is None:
        return None
    per_piece = price.cost.quantize(Decimal("0.0001"))
    basis = {"mailing": price.mailing_id, "postage": price.postage, "speed": price.speed}
    return {"total": total, "per_piece": per_piece, **basis}


def _price_words(people: int, price: PriceOfPiece | None, total: Decimal | None) -> str:
    if price is None or total is None:
        return "No estimate: no order with this template has a price yet. `mailrun campaign plan` asks LettrLabs."
    return (
        f"About {money(total)} for {count(people, 'piece')}, as LettrLabs quoted mailing {price.mailing_id} "
        f"at {money(price.cost.quantize(Decimal('0.0001')))} a piece ({price.postage}, {price.speed})."
    )
