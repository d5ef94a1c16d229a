"""Triggers in a person's hands."""

import getpass
from pathlib import Path

from console.errors import CommandError
from console.installation import installation_settings
from console.output import print_note, print_result, show_json
from console.session import open_session
from console.views.formatting import count, table, text
from intake.events.cloudevents import EventError, event_from, parsed_json
from intake.events.mailing_factory import due_time
from intake.events.processor import why_unmatched
from intake.events.trigger_files import TriggersError, in_force, load, read_triggers
from intake.events.triggers import ActiveTrigger, TriggerDefinition
from intake.recipients.recipient import Recipient
from worker.clock import system_clock
from worker.scheduling.zoned_time import format_instant


def check_file(path: Path) -> int:
    """Say everything that is wrong with a file, or that nothing is."""
    found = _read(path)
    print_result(
        f"{path.name}: {count(len(found), 'trigger')}, nothing wrong: {', '.join(one.name for one in found)}."
    )
    return 0


def _read(path: Path) -> tuple[TriggerDefinition, ...]:
    try:
        return read_triggers(path)
    except TriggersError as error:
        problems = str(error).splitlines()
    if len(problems) == 1:
        raise CommandError(problems[0])
    for problem in problems:
        print_note(problem)
    raise CommandError(f"{path.name} cannot be used for {len(problems)} reasons, see above")


def load_file(path: Path) -> int:
    """Put a file's triggers in force."""
    declarations = _read(path)
    with open_session() as session, session.engine.begin() as connection:
        loaded = load(connection, declarations, getpass.getuser(), system_clock())
    rows = table("trigger", "version", "")
    for one in loaded:
        rows.add_row(text(one.name), str(one.version), one.change)
    print_result(rows)
    return 0


def list_triggers(*, as_json: bool) -> None:
    """Print the triggers in force."""
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = in_force(connection)
        if as_json:
            told = [one.declared.told() | {"id": one.trigger_id, "version": one.version} for one in found]
            show_json(session.vendor, triggers=told)
            return
    rows = table("id", "trigger", "version", "answers to", "template", "gathers", right=("id",))
    for one in found:
        declared = one.declared
        gathers = "-" if declared.gather is None else f"up to {declared.gather.count}"
        numbers = (str(one.version), text(declared.on), str(declared.template), gathers)
        rows.add_row(str(one.trigger_id), text(declared.name), *numbers)
    print_result(
        rows if found else "No triggers: declare them in a file and load it with mailrun trigger load."
    )


def try_event(path: Path, file: Path | None) -> int:
    """Say what a sample event would do; returns 1 if it would mail nobody."""
    event = _sample(path)
    if file is not None:
        triggers = [ActiveTrigger(0, 0, one) for one in _read(file)]
    else:
        with open_session() as session, session.engine.connect() as connection:
            triggers = in_force(connection)
    answering = [trigger for trigger in triggers if trigger.answers(event)]
    if not answering:
        print_result(f"unmatched: {why_unmatched(triggers, event)}")
        return 1
    mailed = [_say(trigger, event) for trigger in answering]
    return 0 if any(mailed) else 1


def _sample(path: Path) -> dict[str, object]:
    try:
        document = parsed_json(path.read_bytes())
        event_from(document)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    except EventError as error:
        raise CommandError(f"{path.name}: {error}") from None
    return document if isinstance(document, dict) else {}


def _say(trigger: ActiveTrigger, event: dict[str, object]) -> bool:
    declared, person = trigger.declared, trigger.recipient(event)
    if not isinstance(person, Recipient):
        print_result(f"{declared.name}: invalid address: {' '.join(reason.sentence for reason in person)}")
        return False
    now, zone = system_clock(), declared.zone or installation_settings().zone
    due = due_time(trigger, event, now, zone)
    paid = "as soon as it is ready" if due is None else f"not before {format_instant(due, zone, now)}"
    gathers = "" if declared.gather is None else f", gathered with up to {declared.gather.count - 1} others"
    print_result(
        f"{declared.name}: template {declared.template}, {declared.postage}, {declared.speed}{gathers}; paid {paid}",
        f"  to {person.first_name} {person.last_name} {person.organization}".rstrip()
        + f", {person.address1} {person.address2}".rstrip()
        + f", {person.city}, {person.state} {person.zip_code}",
    )
    for field, words in person.merge.items():
        print_result(f"  {field}: {words}")
    return True
