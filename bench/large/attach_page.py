"""Handing a campaign over page by page: the attach stage and a bare loop of the same calls, by turns."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpx
from sqlalchemy import Engine, select

from models import Mailing, Recipient, Stage
from worker.context import WorkerContext, open_context
from worker.engine.pipeline import RunBudget, process
from worker.page_recipient import PageRecipient
from worker.settings import SANDBOX_KEY, Settings
from worker.stages import recipient_pages

TEMPLATE: Final = 1001
ONE_STAGE: Final = RunBudget(seconds=0)
_PAGE: Final = 500


@dataclass(slots=True)
class Turns:
    """Seconds a page, of each kind."""

    stage: list[float] = field(default_factory=list)
    puts: list[float] = field(default_factory=list)
    puts_and_reads: list[float] = field(default_factory=list)


def measure(settings: Settings, pages: int) -> Turns:
    """Attach this many mailings of one page each, and put the same pages on orders of their own in between."""
    context, turns = open_context(settings), Turns()
    try:
        with bare(settings) as client:
            # The first one only warms both up.
            for turn, mailing_id in enumerate(mailings(context.engine, pages + 1)):
                one = _one_turn(context, client, mailing_id)
                for kind, seconds in zip((turns.stage, turns.puts, turns.puts_and_reads), one, strict=True):
                    kind.extend([seconds] if turn else [])
    finally:
        context.close()
    return turns


def _one_turn(context: WorkerContext, client: httpx.Client, mailing_id: int) -> tuple[float, float, float]:
    people, order_id = page(context, mailing_id), create(client)
    began = time.perf_counter()
    put(client, order_id, people)
    done = time.perf_counter()
    _read(client, order_id, len(people))
    read = time.perf_counter()
    process(context, [mailing_id], Stage.CREATE, ONE_STAGE)
    created = time.perf_counter()
    process(context, [mailing_id], Stage.ATTACH, ONE_STAGE)
    attached = time.perf_counter()
    require_attached(context, mailing_id)
    return attached - created, done - began, read - began


def bare(settings: Settings) -> httpx.Client:
    """Return the client of whoever writes a script."""
    headers = {"X-API-Key": SANDBOX_KEY}
    return httpx.Client(base_url=f"{settings.base_url}/", headers=headers, timeout=60)


def create(client: httpx.Client) -> int:
    """Make an order and return its number."""
    told = client.post("v1/order", json={"templateId": TEMPLATE}).raise_for_status().json()
    return int(told["payload"]["orderId"])


def put(client: httpx.Client, order_id: int, people: Sequence[dict[str, Any]]) -> None:
    """Put a page of people on an order."""
    client.put(
        f"v1/order/{order_id}/recipients:append", json={"recipients": people}
    ).raise_for_status().json()


def _read(client: httpx.Client, order_id: int, people: int) -> None:
    # As a reader must that knows no total: one page more than there are, if the last one is full.
    for number in range(1 + people // _PAGE):
        query = {"pageNumber": number, "pageSize": _PAGE}
        client.get(f"v1/order/{order_id}/recipients", params=query).raise_for_status().json()


def page(context: WorkerContext, mailing_id: int) -> list[dict[str, Any]]:
    """Return a mailing's people as they are sent."""
    with context.engine.connect() as connection:
        people = select(*Recipient.__table__.columns).where(Recipient.mailing_id == mailing_id)
        rows = connection.execute(people.order_by(Recipient.position)).all()
    return [recipient_pages.to_wire(cast("PageRecipient", one)).wire() for one in rows]


def mailings(engine: Engine, most: int) -> list[int]:
    """Return mailings that nothing was done of; raises RuntimeError if there are too few."""
    with engine.connect() as connection:
        waiting = select(Mailing.id).where(Mailing.stage == Stage.CREATE).order_by(Mailing.id)
        found = list(connection.scalars(waiting.limit(most)))
    if len(found) < most:
        raise RuntimeError(f"{most} pages are asked for and {len(found)} are left: a longer list is needed")
    return found


def require_attached(context: WorkerContext, mailing_id: int) -> None:
    """Raise RuntimeError unless a mailing's people are on its order."""
    with context.engine.connect() as connection:
        stage = connection.scalars(select(Mailing.stage).where(Mailing.id == mailing_id)).one()
    if stage is not Stage.PROOF:
        raise RuntimeError(f"mailing {mailing_id} is at {stage}, not attached")
