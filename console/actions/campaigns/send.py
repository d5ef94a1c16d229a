"""Sending a list: look it over, ask the vendor, queue it; without --yes, show what it comes to and ask."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from console.actions.approvals import ask_about
from console.actions.campaigns.repeats import ask_about_repeats, repeats_complaint, schedule_hint
from console.actions.campaigns.watch import exit_code, follow, look
from console.actions.decisions import who
from console.errors import CommandError, InterruptedCommandError, UsageError
from console.list_source import keep_mapping, open_source, read_headings, require_mapping, saved_mapping
from console.output import print_note, print_result
from console.progress import told
from console.queries.campaigns import Status
from console.questions import require_terminal
from console.session import Session, open_session, settings_here
from console.vendor_check import check_vendor
from console.views.formatting import count
from console.views.import_preview import findings_facts, rejected_table
from intake.campaigns.recent_pieces import Again, RecentPiecesError
from intake.campaigns.submit import Submission, submit_campaign
from intake.csv.preview import ImportPreview, check_campaign
from intake.options import Options
from intake.schedule_options import ScheduleOptions, repeats_for, schedule_for
from worker.clock import system_clock
from worker.scheduling.recurrence_rules import RecurrenceRule

_ENDED: Final = {Status.CANCELLED: "been cancelled", Status.FAILED: "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """What was asked for, and by whom. `yes`: nobody is asked here; `wait`: followed to its end all the same."""

    file: Path
    options: Options
    times: ScheduleOptions
    every: str | None
    catch_up: str | None
    name: str | None
    key: str | None
    mapping: Mapping[str, str] | None
    sheet: str | None
    save_mapping: str | None
    batch_size: int
    rejects: Path
    actor: str | None
    yes: bool
    wait: bool
    again: Again | None = None


def send(asked: SendRequest) -> int:
    """Send a list; returns the exit code. Raises Complaint, IntakeError and whatever the database does."""
    require_terminal("send", yes=asked.yes)
    with open_source(asked.file) as file:
        return _send(replace(asked, file=file))


def _send(asked: SendRequest) -> int:
    timed, repeats = _timed(asked)
    headings, sheet = read_headings(asked.file, asked.sheet, may_ask=not asked.yes)
    asked = replace(asked, sheet=sheet)
    require_mapping(asked.save_mapping, asked.mapping)
    with open_session(create=True) as session:
        asked = _with_mapping(session, asked, headings)
        findings = _look_over(asked)
        print_result(findings_facts(findings))
        settings = check_vendor(
            session.settings, asked.options.template_id, print_note, keep_trying=not asked.yes
        )
        submission = _submit_or_ask(session, replace(asked, options=timed), repeats)
        _tell(session, findings, submission, asked)
        if not submission.created:
            _require_alive(session, submission.campaign_id)
        try:
            return _see_through(replace(session, settings=settings), submission, asked)
        except KeyboardInterrupt:
            raise InterruptedCommandError(_still_queued(submission.campaign_id)) from None


def _timed(asked: SendRequest) -> tuple[Options, RecurrenceRule | None]:
    """Return the options with the times that were asked for; raises IntakeError, UsageComplaint."""
    now, zone = system_clock(), settings_here().zone
    schedule = schedule_for(asked.times, now=now, default_zone=zone)
    if asked.every is None:
        if asked.catch_up is not None:
            raise UsageError("--catch-up says what --every makes up for: give --every as well")
        return replace(asked.options, schedule=schedule), None
    if schedule.send or schedule.hold_until or schedule.deliver_by:
        raise UsageError("--every names the times: leave --send-at, --hold-until and --deliver-by out")
    repeats = repeats_for(asked.every, asked.catch_up, zone=asked.times.zone, default_zone=zone)
    return replace(asked.options, schedule=schedule), repeats


def _with_mapping(session: Session, asked: SendRequest, headings: tuple[str, ...]) -> SendRequest:
    """Return what is asked with the mapping that was saved for these headings, if none is given; or save it."""
    if asked.mapping is None:
        return replace(asked, mapping=saved_mapping(session, headings))
    if asked.save_mapping is not None:
        keep_mapping(session, asked.save_mapping, headings, asked.mapping, who(asked.actor))
    return asked


def _look_over(asked: SendRequest) -> ImportPreview:
    findings = check_campaign(
        asked.file,
        sheet=asked.sheet,
        mapping=asked.mapping,
        strictness=asked.options.strictness,
        progress=told("Looked over"),
    )
    tally = findings.tally
    if not tally.people:
        row, why = tally.first_rejected[0]
        raise CommandError(
            f"{findings.name}: none of its {count(tally.rows, 'row')} can be mailed; row {row}: {why}"
        )
    return findings


def _submit_or_ask(session: Session, asked: SendRequest, repeats: RecurrenceRule | None) -> Submission:
    """Submit the list; ask about people who got the template lately, if a person is there to answer."""
    try:
        return _submit(session, asked, repeats)
    except RecentPiecesError as error:
        if asked.yes:
            raise repeats_complaint(session, error.recent, system_clock()) from None
        again = ask_about_repeats(session, error.recent)
    return _submit(session, replace(asked, again=again), repeats)


def _submit(session: Session, asked: SendRequest, repeats: RecurrenceRule | None) -> Submission:
    return submit_campaign(
        session.engine,
        asked.file,
        asked.options,
        name=asked.name,
        key=asked.key,
        mapping=asked.mapping or {},
        sheet=asked.sheet,
        batch_size=asked.batch_size,
        repeats=repeats,
        again=asked.again,
        repeat_window=session.settings.repeat_window,
        submitted_by=who(asked.actor),
        rejected_to=asked.rejects,
        progress=told("Written down, to be queued together"),
    )


def _tell(session: Session, findings: ImportPreview, submission: Submission, asked: SendRequest) -> None:
    if findings.tally.rejected:
        print_result(rejected_table(findings.tally))
        if submission.created and findings.tally.correctable:
            print_result(f"Rejected rows, to correct and send as a list of their own: {asked.rejects}")
    number, people = submission.campaign_id, count(submission.people, "person", "people")
    if submission.created:
        print_result(f"Queued as campaign {number}: {people} in {count(submission.mailings, 'order')}.")
        left_out = submission.rejected - findings.tally.rejected
        if left_out > 0:
            print_result(f"Left out: {count(left_out, 'person who was', 'people who were')} mailed before.")
    else:
        print_result(f"This list was submitted before, as campaign {number}: nothing new is queued.")
        if hint := schedule_hint(session, number):
            print_result(hint)


def _require_alive(session: Session, campaign_id: int) -> None:
    """Raise Complaint if the campaign that was there before has ended unsent: whoever sends it again means it."""
    status = look(session, campaign_id)[0].status
    if status in {Status.CANCELLED, Status.FAILED}:
        raise CommandError(
            f"campaign {campaign_id} has {_ENDED[status]} and stays so: to send the list after all, give a new --key"
        )


def _see_through(session: Session, submission: Submission, asked: SendRequest) -> int:
    number = submission.campaign_id
    code = 0
    if not asked.yes:
        code = ask_about(session, number, who(asked.actor))
    elif asked.wait:
        code = exit_code(follow(session, number))
    else:
        for line in look(session, number)[2]:
            print_note(line)
    print_result(f"More: mailrun campaign show {number}")
    return code


def _still_queued(campaign_id: int) -> str:
    return (
        f"Campaign {campaign_id} is queued and goes on without this command: "
        f"look with `mailrun campaign watch {campaign_id}`, stop it with `mailrun campaign cancel {campaign_id}`."
    )
