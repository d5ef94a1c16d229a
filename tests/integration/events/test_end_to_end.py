"""Five hundred events through real processes that die on the way: the vendor's ledger and the receipts agree."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import func, select, update

from intake.recipients.digests import installation_key
from intake.recipients.recipient import Recipient
from intake.suppression import lists
from intake.suppression.lists import Origin
from models import ENDED, Event, EventBatch, IdentityKind, Mailing, State

SENDERS = 8
SUPPRESSED, INVALID, UNDELIVERABLE, TWINS, UNMATCHED, CAPPED = 20, 15, 10, 15, 20, 6
PLAIN = 500 - SUPPRESSED - INVALID - UNDELIVERABLE - 2 * TWINS - UNMATCHED - 2 * CAPPED
PARCEL = "com.example.parcel"


def the_events(an_event: Any, dice: random.Random) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return five hundred events, and how each one's must end by its id; twins and pairs share theirs."""
    numbers = iter(range(10_000))
    events: list[dict[str, Any]] = []
    expected: dict[str, str] = {}

    def happen(outcome: str, copies: int = 1, **changes: Any) -> None:
        number = next(numbers)
        for copy in range(copies):
            at = datetime.now(UTC) - timedelta(minutes=dice.randrange(10_000))
            one = an_event(number, id=f"{number}-{copy}", time=at.isoformat(), **changes)
            events.append(one)
            expected[one["id"]] = outcome

    for _ in range(PLAIN):
        happen("paid")
    for _ in range(SUPPRESSED):
        happen("suppressed", data={"first": "Sue"})
    for _ in range(INVALID):
        happen("invalid_address", data={"zip": "nowhere"})
    for _ in range(UNDELIVERABLE):
        happen("invalid_address", data={"street": f"0 Elm St {next(numbers)}"})
    for _ in range(TWINS):
        happen("paid|duplicate", 2)
    for _ in range(UNMATCHED):
        happen("unmatched", type="com.example.other")
    for _ in range(CAPPED):
        happen("paid|capped", 2, type=PARCEL)
    dice.shuffle(events)
    return events, expected


class Senders:
    """Shops that post until they are answered, whatever becomes of the process they post to."""

    def __init__(self, web: Any) -> None:
        self.web = web
        self.taken: dict[str, int] = {}
        self.statuses: Counter[int] = Counter()
        self._lock = threading.Lock()

    def post(self, event: dict[str, Any]) -> None:
        answer = self._until_answered(event)
        with self._lock:
            self.statuses[answer.status_code] += 1
            if answer.is_success:
                number = answer.json()["receipt"]
                assert self.taken.setdefault(event["id"], number) == number

    def _until_answered(self, event: dict[str, Any]) -> httpx.Response:
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = self.web.post_event(event)
                if answer.status_code < 500:
                    return answer  # type: ignore[no-any-return]
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline
            time.sleep(0.05)


def suppress(shop: Any, events: list[dict[str, Any]]) -> None:
    with shop.engine.begin() as connection:
        key = installation_key(connection)
        people = [
            Recipient(
                first_name=data["first"],
                last_name=data["last"],
                address1=data["street"],
                city=data["city"],
                state=data["state"],
                zip_code=data["zip"],
            )
            for data in (event["data"] for event in events)
            if data["first"] == "Sue"
        ]
        entries = [(digest, IdentityKind.PERSON) for one in people if (digest := one.known_by(key).person)]
        assert lists.add(connection, entries, Origin(source="test", who="test", now=shop.at)) == SUPPRESSED


def let_its_leases_end(shop: Any) -> None:
    """Make it as late as if the killed worker's leases had run out, instead of waiting a minute for it."""
    ended = {"lease_until": func.now(), "wake_at": func.now()}
    with shop.engine.begin() as connection:
        connection.execute(update(Mailing).where(Mailing.state == State.WORKING).values(ended))


def waiting(shop: Any, what: Any) -> bool:
    with shop.engine.connect() as connection:
        return connection.scalar(what.limit(1)) is not None


def all_receipts(web: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    path: str | None = "/v1/events?limit=100"
    while path is not None:
        page = web.get(path).json()
        found |= {receipt["id"]: receipt for receipt in page["items"]}
        path = page["next"]
    return found


def test_the_ledger_and_the_receipts_agree_on_every_one_of_five_hundred_events(
    web_process: Any,
    worker_process: Any,
    sandbox: Any,
    shop: Any,
    an_event: Any,
    a_trigger: Any,
    eventually: Any,
) -> None:
    dice = random.Random(5)  # noqa: S311 - a shuffle that fails must fail again
    events, expected = the_events(an_event, dice)
    assert len(events) == 500
    shop.declare(
        a_trigger(gather={"count": 60, "age": "1 day"}), a_trigger(name="parcel", on=PARCEL, cap="1/30")
    )
    suppress(shop, events)
    sandbox.set(settleSeconds=0)
    env = sandbox.env | {
        "LETTRLABS_RATE": "10000",
        "MAILRUN_TICK_SECONDS": "0.2",
        "MAILRUN_POLL_SECONDS": "0.2",
        "MAILRUN_RETRY_SECONDS": "0.2",
        "MAILRUN_VISIBILITY_WINDOW_SECONDS": "0.5",
        "MAILRUN_PUSH_AGAIN_SECONDS": "2",
        "MAILRUN_LEASE_SECONDS": "62",
    }
    web, worker = web_process(), worker_process(env)
    programs = [web.program, worker, worker_process(env, beat=True)]
    senders = Senders(web)
    again = [*events, *dice.sample(events, 60)]
    forged = [{**one, "data": {**one["data"], "plan": "forged"}} for one in dice.sample(events, 40)]

    with ThreadPoolExecutor(SENDERS) as pool:
        posting = [pool.submit(senders.post, event) for event in again]
        eventually(lambda: len(senders.taken) > 150, 60)
        web.program.kill()
        senders.web = web = web_process(httpx.URL(web.url).port)
        programs.append(web.program)
        eventually(lambda: len(senders.taken) > 300, 60)
        worker.kill()
        let_its_leases_end(shop)
        programs.append(worker_process(env))
        for done in posting:
            done.result()
        assert senders.statuses.keys() <= {200, 202}
        list(pool.map(senders.post, forged))
    assert senders.statuses[409] == 40

    eventually(lambda: not waiting(shop, select(Event.id).where(Event.wake_at.is_not(None))), 60)
    with shop.engine.begin() as connection:
        # The day passes.
        connection.execute(
            update(EventBatch).where(EventBatch.closed_at.is_(None)).values(close_at=func.now())
        )
    eventually(lambda: not waiting(shop, select(EventBatch.id).where(EventBatch.closed_at.is_(None))), 60)
    eventually(lambda: not waiting(shop, select(Mailing.id).where(Mailing.state.not_in(ENDED))), 120)

    receipts = all_receipts(web)
    assert {one["receipt"] for one in receipts.values()} == set(senders.taken.values())
    assert receipts.keys() == expected.keys()
    wrong = {
        id_: (one["outcome"], one["reason"], expected[id_])
        for id_, one in receipts.items()
        if one["outcome"] not in expected[id_].split("|")
    }
    assert wrong == {}
    ended = Counter(one["outcome"] for one in receipts.values())
    # Two events for one person are one piece in one order, and two in two: only a cap spans orders.
    assert ended.pop("paid") + ended.pop("duplicate", 0) == PLAIN + 2 * TWINS + CAPPED
    assert ended == {
        "suppressed": SUPPRESSED,
        "invalid_address": INVALID + UNDELIVERABLE,
        "unmatched": UNMATCHED,
        "capped": CAPPED,
    }
    assert all(one["reason"] for one in receipts.values() if one["outcome"] != "paid")
    _compare_with_the_ledger(sandbox.ledger(), events, receipts)
    said = "".join(program.said() for program in programs)
    assert not [word for word in ("Sue", "Oak St", "Boston", "Traceback") if word in said]


def _compare_with_the_ledger(
    ledger: Any, events: list[dict[str, Any]], receipts: dict[str, dict[str, Any]]
) -> None:
    told = Counter(
        "|".join(str(event["data"][name]).lower() for name in ("first", "last", "street"))
        for event in events
        if receipts[event["id"]]["outcome"] == "paid"
    )
    happened = Counter({"|".join(key.split("|")[:3]): pieces for key, pieces in ledger["people"].items()})
    assert happened == told
    orders = {one["answers"][0]["order"] for one in receipts.values() if one["outcome"] == "paid"}
    paid = {order["id"] for order in ledger["orders"] if order["checkouts"] and not order["deleted"]}
    assert orders == paid
    assert all(len(order["checkouts"]) <= 1 for order in ledger["orders"])
