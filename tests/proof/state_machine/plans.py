"""What mailings a run begins with, and who is on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from models import Approval, Campaign, Priority, Recipient
from worker import transitions
from worker.transitions import NewMailing


@dataclass(frozen=True)
class Scenario:
    """A mailing to open. `people` says of each whether mail can reach them."""

    people: tuple[bool, ...] = (True,)
    template: int = 1001
    approval: Approval = Approval.AUTO
    priority: Priority = Priority.CAMPAIGN
    in_campaign: bool = False


def open_campaign(connection: Connection, mailings: int) -> int:
    values = {"key": "campaign", "request_digest": b"digest", "name": "Campaign"}
    counts = {"rows": mailings, "people": mailings, "rejected": 0, "mailings": mailings}
    return connection.execute(insert(Campaign).values(**values, **counts).returning(Campaign.id)).scalar_one()


def open_one(connection: Connection, number: int, plan: Scenario, campaign: int, now: datetime) -> int:
    """Open a mailing by its plan, with its people; returns its id."""
    new = NewMailing(
        key=f"mailing-{number}",
        request_digest=b"digest",
        priority=plan.priority,
        template_id=plan.template,
        postage="Standard",
        speed="Normal",
        size=len(plan.people),
        approval=plan.approval,
        campaign_id=campaign if plan.in_campaign else None,
        batch=number if plan.in_campaign else None,
    )
    (mailing_id,) = transitions.insert_mailings(connection, [new], now)
    people = [_person(mailing_id, number, n, there=there) for n, there in enumerate(plan.people)]
    connection.execute(insert(Recipient), people)
    return mailing_id


def _person(mailing_id: int, number: int, position: int, *, there: bool) -> dict[str, Any]:
    house = 100 * (number + 1) + position
    return {
        "mailing_id": mailing_id,
        "position": position,
        "digest": b"%d" % house,
        # From it the mailing can be told.
        "first_name": f"M{number}P{position}",
        "last_name": "Person",
        "address1": f"{house} Main Street" if there else f"0 Nowhere Lane {house}",
        "city": "Springfield",
        "state": "IL",
        "zip_code": "62701",
        "merge": {},
    }
