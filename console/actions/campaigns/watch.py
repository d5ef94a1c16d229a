"""Following a campaign: drawn anew in a terminal, a line for each change elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.live import Live
from sqlalchemy import Connection

from console.errors import CommandError
from console.output import print_note, stderr_console
from console.queries import campaigns
from console.queries.attention import causes
from console.queries.campaigns import CampaignProgress, NextStep, Status
from console.queries.health import halt, workers_alive
from console.session import Session
from console.views.attention import cause_lines
from console.views.campaigns import progress, summary

LOOK_SECONDS: Final = 0.3
# A worker that is just starting shows life within this.
STARTING_SECONDS: Final = 5.0
NOBODY_WORKS: Final = "no worker is alive: it is queued; start `mailrun up` in another terminal"
ALL_PAUSED: Final = "everything is paused: mailrun resume"


def follow(session: Session, campaign_id: int, *, starting: float = STARTING_SECONDS) -> CampaignProgress:
    """Show how far a campaign is until nothing moves without a person; returns where it stands then.

    Workers that show no life are remarked on only after `starting` seconds.

    Raises Complaint if there is no such campaign.
    """
    patience = time.monotonic() + starting
    with _display() as display:
        while True:
            one, waiting, hindrances = look(session, campaign_id)
            if time.monotonic() < patience:
                hindrances = [line for line in hindrances if line != NOBODY_WORKS]
            if one.rests:
                display.update(one, waiting, _causes(session, campaign_id))
                return one
            display.update(one, waiting, hindrances)
            time.sleep(LOOK_SECONDS)


def look(session: Session, campaign_id: int) -> tuple[CampaignProgress, NextStep | None, list[str]]:
    """Return a campaign's standing, what it waits for, and what keeps everything from going on; raises Complaint."""
    with session.engine.connect() as connection:
        one = campaigns.campaign(connection, campaign_id)
        if one is None:
            raise no_campaign(campaign_id)
        return one, campaigns.waiting(connection, campaign_id), hindrances(connection)


def _causes(session: Session, campaign_id: int) -> list[str]:
    with session.engine.connect() as connection:
        return list(cause_lines(causes(connection, campaign_id)))


def hindrances(connection: Connection) -> list[str]:
    """Return what keeps everything from going on, a line each."""
    halted = halt(connection)
    lines = {
        NOBODY_WORKS: not workers_alive(connection),
        ALL_PAUSED: halted.paused_at is not None,
        f"nothing is sent: {halted.disarmed_why}; see `mailrun arm`": halted.disarmed_why is not None,
    }
    return [line for line, hinders in lines.items() if hinders]


def no_campaign(campaign_id: int) -> CommandError:
    """Return the complaint that there is no campaign with this number."""
    return CommandError(f"there is no campaign {campaign_id}; see `mailrun campaign list`")


def exit_code(one: CampaignProgress) -> int:
    """Return 0 if a campaign went out, will at its time, or was cancelled by somebody; 1 if a person is needed."""
    return 0 if one.status in {Status.SENT, Status.SCHEDULED, Status.CANCELLED} else 1


@dataclass
class _Lines:
    """A line for each thing that changed."""

    said: set[str] = field(default_factory=set)
    last: str = ""

    def update(self, one: CampaignProgress, waiting: NextStep | None, notes: list[str]) -> None:
        now = summary(one)
        if now != self.last:
            print_note(f"campaign {one.id}: {now}")
        self.last = now
        self._once([*notes, *([f"mailing {waiting.mailing_id} waits: {waiting.why}"] if waiting else [])])

    def _once(self, lines: list[str]) -> None:
        for line in lines:
            if line not in self.said:
                print_note(line)
        self.said.update(lines)


@dataclass
class _Drawing:
    """A picture that is drawn anew."""

    live: Live

    def update(self, one: CampaignProgress, waiting: NextStep | None, notes: list[str]) -> None:
        self.live.update(progress(one, waiting, notes), refresh=True)


@contextmanager
def _display() -> Iterator[_Lines | _Drawing]:
    if not stderr_console().is_terminal:
        yield _Lines()
        return
    with Live(console=stderr_console(), auto_refresh=False) as live:
        yield _Drawing(live)
