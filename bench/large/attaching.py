"""Handing a campaign over: the attach stage of its mailings, and a bare loop of the same PUTs, by turns."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpx
from sqlalchemy import Engine, select

from models import Mailing, Recipient, Stage
from worker import recipients
from worker.desk import Desk, open_desk
from worker.people import Person
from worker.pipeline import Pace, deliver
from worker.settings import SANDBOX_KEY, Settings

TEMPLATE: Final = 1001
ONE_STAGE: Final = Pace(seconds=0)
_PAGE: Final = 500


@dataclass(slots=True)
class Turns:
    """Seconds a page, of each kind."""

    stage: list[float] = field(default_factory=list)
    puts: list[float] = field(default_factory=list)
    puts_and_reads: list[float] = field(default_factory=list)


def measure(settings: Settings, pages: int) -> Turns:
    """Attach this many mailings of one page each, and put the same pages on orders of their own in between."""
    desk, turns = open_desk(settings), Turns()
    headers = {"X-API-Key": SANDBOX_KEY}
    try:
        with httpx.Client(base_url=f"{settings.base_url}/", headers=headers, timeout=60) as client:
            # The first one only warms both up.
            for turn, mailing_id in enumerate(_mailings(desk.engine, pages + 1)):
                one = _one_turn(desk, client, mailing_id)
                for kind, seconds in zip((turns.stage, turns.puts, turns.puts_and_reads), one, strict=True):
                    kind.extend([seconds] if turn else [])
    finally:
        desk.close()
    return turns


def _one_turn(desk: Desk, client: httpx.Client, mailing_id: int) -> tuple[float, float, float]:
    page = _page(desk, mailing_id)
    order_id = client.post("v1/order", json={"templateId": TEMPLATE}).raise_for_status().json()
    began = time.perf_counter()
    _put(client, _number(order_id), page)
    put = time.perf_counter()
    _read(client, _number(order_id), len(page))
    read = time.perf_counter()
    deliver(desk, [mailing_id], Stage.CREATE, ONE_STAGE)
    created = time.perf_counter()
    deliver(desk, [mailing_id], Stage.ATTACH, ONE_STAGE)
    attached = time.perf_counter()
    _require_attached(desk, mailing_id)
    return attached - created, put - began, read - began


def _put(client: httpx.Client, order_id: int, page: Sequence[dict[str, Any]]) -> None:
    client.put(f"v1/order/{order_id}/recipients:append", json={"recipients": page}).raise_for_status().json()


def _read(client: httpx.Client, order_id: int, people: int) -> None:
    # As a reader must that knows no total: one page more than there are, if the last one is full.
    for number in range(1 + people // _PAGE):
        query = {"pageNumber": number, "pageSize": _PAGE}
        client.get(f"v1/order/{order_id}/recipients", params=query).raise_for_status().json()


def _number(told: Any) -> int:  # noqa: ANN401 - JSON
    return int(told["payload"]["orderId"])


def _page(desk: Desk, mailing_id: int) -> list[dict[str, Any]]:
    with desk.engine.connect() as connection:
        people = select(*Recipient.__table__.columns).where(Recipient.mailing_id == mailing_id)
        rows = connection.execute(people.order_by(Recipient.position)).all()
    return [recipients.on_the_wire(cast("Person", one)).wire() for one in rows]


def _mailings(engine: Engine, most: int) -> list[int]:
    with engine.connect() as connection:
        waiting = select(Mailing.id).where(Mailing.stage == Stage.CREATE).order_by(Mailing.id)
        return list(connection.scalars(waiting.limit(most)))


def _require_attached(desk: Desk, mailing_id: int) -> None:
    with desk.engine.connect() as connection:
        stage = connection.scalars(select(Mailing.stage).where(Mailing.id == mailing_id)).one()
    if stage is not Stage.PROOF:
        raise RuntimeError(f"mailing {mailing_id} is at {stage}, not attached")
