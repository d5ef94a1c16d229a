"""How times look: as the wall of their zone shows them, in UTC, and how far away they are."""

from datetime import datetime, timedelta
from typing import Final

from console.queries.mailings import MailingFacts
from console.views.formatting import money
from models import DAY_SECONDS, ENDED, HoldMode, IfLate, Stage
from worker.scheduling.zoned_time import format_day, format_instant

_HOUR: Final = 3600
_POLICIES: Final = {
    IfLate.SEND: "sent all the same",
    IfLate.SKIP: "given up",
    IfLate.ASK: "a person is asked",
}


def time_facts(one: MailingFacts, now: datetime) -> list[tuple[str, str]]:
    """Return when a mailing is paid for, by when it must arrive, and until when its price can be had."""
    found = []
    if one.send_at:
        found.append(("paid", f"not before {format_instant(one.send_at, one.zone, now)}"))
        found.append(("if late", f"over {_lateness(one.late_after)}: {_POLICIES[one.if_late]}"))
    if one.hold_until:
        by = "LettrLabs, paid" if one.hold_mode is HoldMode.VENDOR else "Mailrun, unpaid"
        found.append(("held", f"until {format_day(one.hold_until, now)}, by {by}"))
    if one.deliver_by:
        found.append(("arrives", f"by {format_day(one.deliver_by, now)}"))
    if one.price_until and one.state not in ENDED and one.stage is not Stage.SETTLE:
        found.append(("price", price_words(one, now)))
    return found


def price_words(one: MailingFacts, now: datetime) -> str:
    """Return until when approval keeps the price of a mailing, and what comes then; empty if no end is known."""
    if one.price_until is None:
        return ""
    until = format_instant(one.price_until, one.zone, now)
    if one.price_after is None:
        return f"approve before {until}, or nothing arrives in time"
    return f"approve before {until}, or the price rises from {money(one.quoted)} to {money(one.price_after)}"


def _lateness(seconds: int) -> str:
    if seconds % DAY_SECONDS == 0:
        days = seconds // DAY_SECONDS
        return "a day" if days == 1 else f"{days} days"
    return f"{seconds // _HOUR} h" if seconds % _HOUR == 0 else str(timedelta(seconds=seconds))
