"""How soon a campaign says how far it is: what `campaign show` and GET /v1/campaigns/{id} read."""

import time
from typing import Final

from sqlalchemy import Engine, func, select

from console.queries import campaigns
from models import Campaign

TIMES: Final = 50


def newest(engine: Engine) -> int:
    """Return the number of the last campaign."""
    with engine.connect() as connection:
        return connection.scalars(select(func.max(Campaign.id))).one() or 0


def measure(engine: Engine, campaign_id: int) -> list[float]:
    """Return how long each of many askings took, in seconds, over a connection that is open."""
    seconds = []
    with engine.connect() as connection:
        for _ in range(TIMES):
            began = time.perf_counter()
            found = campaigns.campaign(connection, campaign_id)
            campaigns.waiting(connection, campaign_id)
            seconds.append(time.perf_counter() - began)
            connection.rollback()
            if found is None:
                raise LookupError(f"there is no campaign {campaign_id}")
    return seconds
