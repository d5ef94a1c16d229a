"""The mailings of a campaign that wait for a time of their own."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from models import OPEN, Mailing, Stage


class Scheduled(NamedTuple):
    """A mailing that is not paid before a time that is still to come."""

    mailing_id: int
    send_at: datetime
    zone: str | None


def scheduled_mailings(connection: Connection, campaign_id: int, now: datetime) -> Sequence[Scheduled]:
    """Return a campaign's mailings that wait for their time, the earliest first."""
    rows = connection.execute(
        select(Mailing.id, Mailing.send_at, Mailing.zone)
        .where(
            Mailing.campaign_id == campaign_id,
            Mailing.state.in_(OPEN),
            Mailing.stage != Stage.SETTLE,
            Mailing.send_at > now,
        )
        .order_by(Mailing.send_at, Mailing.id)
    )
    return [Scheduled(row.id, at, row.zone) for row in rows if (at := row.send_at)]
