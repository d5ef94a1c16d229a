"""The price/date grid of a campaign, or of a list that is only tried: drafted, priced and deleted again."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Final

from console.actions.campaigns.watch import follow, no_campaign
from console.actions.decisions import cancel_all
from console.errors import CommandError, UsageError
from console.output import print_note, print_result, show_json
from console.queries import calendar, campaigns
from console.session import Session, open_session, settings_here
from console.vendor_check import check_vendor
from console.views.calendar import days_words, grid_table
from intake.campaigns.recent_pieces import Again
from intake.campaigns.submit import submit_campaign
from intake.csv.preview import check_campaign
from intake.options import LONGEST_WORD, Options
from intake.schedule_options import ScheduleOptions, schedule_for
from models import OPEN, Approval, State
from worker.clock import system_clock

# Without a date to arrive by, everything is in time; no mail takes a quarter of a year.
_ANY_TIME: Final = timedelta(days=90)


def plan(
    campaign: str, *, template: int | None, deliver_by: str | None, zone: str | None, as_json: bool
) -> int:
    """Print the grid of a campaign's first mailing, or of a list's; returns 1 if nothing arrives in time.

    Raises Complaint if there is no grid, IntakeError and TableError for a list that cannot be sent.
    """
    if campaign.isascii() and campaign.isdecimal():
        with open_session(quiet=as_json) as session:
            return _tell(session, int(campaign), as_json=as_json)
    if template is None:
        raise UsageError("--template: say with which template the list would be sent")
    options = _options(template, deliver_by, zone)
    with open_session(quiet=as_json) as session:
        return _try(session, Path(campaign), options, as_json=as_json)


def _options(template: int, deliver_by: str | None, zone: str | None) -> Options:
    now, settings = system_clock(), settings_here()
    by = f"{(now + _ANY_TIME).date()}" if deliver_by is None else deliver_by
    schedule = schedule_for(ScheduleOptions(deliver_by=by, zone=zone), now=now, default_zone=settings.zone)
    return Options(template_id=template, approval=Approval.REQUIRED, schedule=schedule)


def _try(session: Session, file: Path, options: Options, *, as_json: bool) -> int:
    """Draft a list, price it, and have the draft deleted whatever happens: it waits for an approval nobody gives."""
    check_campaign(file, strictness=options.strictness)
    check_vendor(session.settings, options.template_id, print_note, keep_trying=True)
    submission = submit_campaign(
        session.engine,
        file,
        options,
        key=f"plan {uuid.uuid4().hex}",
        name=f"Plan of {file.stem}"[:LONGEST_WORD],
        again=Again.EVERYBODY,
    )
    number = submission.campaign_id
    try:
        follow(session, number)
        return _tell(session, number, as_json=as_json)
    finally:
        _discard(session, number)


def _discard(session: Session, campaign_id: int) -> None:
    with session.engine.connect() as connection:
        open_ones = campaigns.mailings_in(connection, campaign_id, *OPEN)
    cancel_all(session, open_ones)
    print_note(f"Campaign {campaign_id} was only a plan: its drafts are deleted.")


def _tell(session: Session, campaign_id: int, *, as_json: bool) -> int:
    with session.engine.connect() as connection:
        if campaigns.campaign(connection, campaign_id) is None:
            raise no_campaign(campaign_id)
        first = next(iter(campaigns.mailings_in(connection, campaign_id, *State)), None)
        cells = [] if first is None else calendar.grid(connection, first)
    if not cells:
        raise CommandError(
            f"campaign {campaign_id} has no grid: it was not sent with --deliver-by, or is not priced"
        )
    if as_json:
        show_json(session.vendor, campaign=campaign_id, mailing=first, choices=cells)
    else:
        print_result(grid_table(cells), days_words(cells, system_clock()))
    return 0 if any(one.meets for one in cells) else 1
