"""The question about people who got a campaign's template lately: mail only the new ones, all of them, or none."""

from datetime import datetime
from typing import Final

import typer

from console.errors import CommandError
from console.output import print_note, print_result
from console.queries.scheduled import scheduled_mailings
from console.session import Session
from console.views.formatting import count
from intake.campaigns.recent_pieces import Again, RecentSenders
from worker.clock import system_clock
from worker.scheduling.zoned_time import format_instant

_MOST_NAMED: Final = 5


def ask_about_repeats(session: Session, recent: RecentSenders) -> Again:
    """Show who got the template lately, ask what to do, and return it. Raises Complaint for `nobody`."""
    print_result(f"{recent.describe(system_clock())}.")
    for line in schedule_hints(session, recent):
        print_note(line)
    new = recent.people - recent.repeated
    choices = {"e": Again.EVERYBODY, "everybody": Again.EVERYBODY, "n": None, "nobody": None}
    if new:
        choices |= {"o": Again.NEW, "only": Again.NEW, "new": Again.NEW}
    others = f"[o]nly the {count(new, 'new person', 'new people')}, " if new else ""
    question = f"Mail {others}[e]verybody ({recent.people:,}), or [n]obody?"
    while (answer := str(typer.prompt(question, default="n")).strip().lower()) not in choices:
        print_note(f"answer {', '.join(choices)}")
    again = choices[answer]
    if again is None:
        raise CommandError("nothing was queued")
    return again


def repeats_complaint(session: Session, recent: RecentSenders, now: datetime) -> CommandError:
    """Return the complaint of a command that has no terminal to ask at."""
    new = recent.people - recent.repeated
    only = f"add --again new to mail only the other {new:,}, or" if new else "add"
    return CommandError(
        " ".join(
            [
                f"{recent.describe(now)}: nothing was queued; {only} --again everybody to mail all of them.",
                *schedule_hints(session, recent),
            ]
        )
    )


def schedule_hints(session: Session, recent: RecentSenders) -> list[str]:
    """Return a sentence for each campaign among the senders that still waits for its time."""
    unpaid = [one.id for one in recent.senders() if one.kind == "campaign" and not one.paid]
    return [hint for one in unpaid[:_MOST_NAMED] if (hint := schedule_hint(session, one))]


def schedule_hint(session: Session, campaign_id: int) -> str:
    """Return when a campaign is scheduled for, and how its mailings get another time; "" if it is not."""
    now = system_clock()
    with session.engine.connect() as connection:
        scheduled = scheduled_mailings(connection, campaign_id, now)
    if not scheduled:
        return ""
    first, few = scheduled[0], len(scheduled) <= _MOST_NAMED
    named = " ".join(str(one.mailing_id) for one in scheduled) if few else "ID..."
    listed = "" if few else f" (the IDs: mailrun mailing list --campaign {campaign_id})"
    return (
        f"Campaign {campaign_id} is scheduled for {format_instant(first.send_at, first.zone, now)}. "
        f"To give it another time: mailrun reschedule {named} --send-at TIME{listed}."
    )
