"""The due scan, each part of its predicate in a pair, and what it costs beside a large backlog."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, select, text, update

from console.local.roles import OWNER
from models import ENDED, Campaign, Installation, Mailing, Priority, Stage, State
from tests.integration.worker.board import CELLS, LEASE, NOW, Cell, StateMatrix
from worker import transitions
from worker.context import MESSAGE_THREADS, WorkerContext
from worker.engine import dispatcher
from worker.engine.dispatcher import rest_of_chain
from worker.engine.run_budget import MESSAGE_BATCH_SIZE
from worker.settings import Settings
from worker.transitions.wake import WAKE

AGAIN = timedelta(seconds=60)
JUST_AFTER = NOW + timedelta(microseconds=1)
AWAKE = [cell for cell in CELLS if cell[0] in {State.QUEUED, State.WORKING}]


@pytest.fixture
def asleep(board: StateMatrix) -> StateMatrix:
    """Return the board with every row that can sleep asleep until tomorrow."""
    for cell in AWAKE:
        board.forge(cell, wake_at=NOW + timedelta(days=1))
    return board


def woken(
    board: StateMatrix, priority: Priority = Priority.CAMPAIGN, room: int = 100, now: datetime = NOW
) -> set[Cell]:
    cells = {number: cell for cell, number in board.ids.items()}
    return {cells[due.id] for due in transitions.wake_due(board.connection, priority, now, room, AGAIN)}


@pytest.mark.parametrize("cell", AWAKE, ids=" ".join)
def test_a_row_whose_wake_up_has_come__yes(asleep: StateMatrix, cell: Cell) -> None:
    asleep.forge(cell, wake_at=NOW)
    assert woken(asleep) == {cell}


@pytest.mark.parametrize("cell", AWAKE, ids=" ".join)
def test_a_row_whose_wake_up_is_to_come__no(asleep: StateMatrix, cell: Cell) -> None:
    asleep.forge(cell, wake_at=JUST_AFTER)
    assert woken(asleep) == set()


def test_a_row_that_ended_or_waits_for_a_person__no(asleep: StateMatrix) -> None:
    assert {cell[0] for cell in asleep.ids} >= {*ENDED, State.APPROVAL, State.ATTENTION}
    assert woken(asleep, now=NOW + timedelta(hours=23)) == set()


def test_a_row_of_the_priority_asked_for__yes_and_of_another__no(asleep: StateMatrix) -> None:
    event, campaign = (State.QUEUED, Stage.CREATE), (State.QUEUED, Stage.ATTACH)
    asleep.forge(event, wake_at=NOW, priority=int(Priority.EVENT))
    asleep.forge(campaign, wake_at=NOW)
    assert woken(asleep, Priority.EVENT) == {event}
    assert woken(asleep, Priority.CAMPAIGN) == {campaign}


def test_a_row_that_was_woken_sleeps_until_its_message_counts_as_lost(asleep: StateMatrix) -> None:
    cell = (State.QUEUED, Stage.CREATE)
    asleep.forge(cell, wake_at=NOW)
    assert woken(asleep) == {cell}
    assert woken(asleep, now=NOW + AGAIN - timedelta(microseconds=1)) == set()
    assert woken(asleep, now=NOW + AGAIN) == {cell}


@pytest.mark.parametrize("table", [Installation, Campaign])
def test_a_paused_row_is_put_off_and_left_out_unless_it_settles(
    asleep: StateMatrix, table: type[Any]
) -> None:
    for cell in AWAKE:
        asleep.forge(cell, wake_at=NOW)
    asleep.connection.execute(update(table).values(paused_at=NOW))

    assert woken(asleep) == {cell for cell in AWAKE if cell[1] is Stage.SETTLE}

    assert {asleep.row(cell).wake_at for cell in AWAKE} == {NOW + AGAIN}


def test_there_is_room__yes(asleep: StateMatrix) -> None:
    for cell in AWAKE:
        asleep.forge(cell, wake_at=NOW)
    assert woken(asleep, room=len(AWAKE)) == set(AWAKE)


def test_there_is_no_room__the_longest_due_go_first(asleep: StateMatrix) -> None:
    for number, cell in enumerate(AWAKE):
        asleep.forge(cell, wake_at=NOW - timedelta(seconds=number))
    assert woken(asleep, room=3) == set(AWAKE[-3:])
    assert woken(asleep, room=3) == set(AWAKE[-6:-3])


def test_waking_says_where_the_chain_begins_and_moves_nothing(asleep: StateMatrix) -> None:
    before = asleep.rows()
    for cell in AWAKE:
        asleep.forge(cell, wake_at=NOW)

    due = transitions.wake_due(asleep.connection, Priority.CAMPAIGN, NOW, 100, AGAIN)

    assert {one.id: one.stage for one in due} == {asleep.ids[cell]: cell[1] for cell in AWAKE}
    assert not any(asleep.events().values())
    for cell, row in asleep.rows().items():
        assert {name for name in row if row[name] != before[cell][name]} <= {"wake_at"}


@pytest.mark.parametrize(
    ("stage", "chain"),
    [
        (Stage.CREATE, ["create", "attach", "proof", "summarize", "checkout"]),
        (Stage.SUMMARIZE, ["summarize", "checkout"]),
        (Stage.CHECKOUT, ["checkout"]),
        (Stage.SETTLE, ["settle"]),
    ],
)
def test_the_rest_of_the_chain_is_pushed(stage: Stage, chain: list[str]) -> None:
    assert list(rest_of_chain(stage)) == chain


# What follows needs rows that others see.


@pytest.fixture
def queue(shared_engine: Engine) -> Iterator[Engine]:
    """Yield an engine on a database without mailings."""
    with shared_engine.begin() as connection:
        connection.execute(text("DELETE FROM mailing; DELETE FROM campaign"))
    yield shared_engine
    with shared_engine.begin() as connection:
        connection.execute(text("DELETE FROM mailing"))


@pytest.fixture
def analyzed(queue: Engine) -> Iterator[Engine]:
    """Yield the same database as the role that may gather statistics of its tables."""
    engine = create_engine(queue.url.set(username=OWNER))
    yield engine
    engine.dispose()


def open_due(engine: Engine, count: int, priority: Priority = Priority.CAMPAIGN, **values: Any) -> list[int]:
    new = [
        {
            "key": str(uuid4()),
            "request_digest": b"digest",
            "priority": int(priority),
            "not_before": NOW,
            "wake_at": NOW - timedelta(seconds=number),
            "template_id": 1001,
            "postage": "Standard",
            "speed": "Normal",
            "auto_bill": True,
            "approval": "auto",
            "size": 1,
            **values,
        }
        for number in range(count)
    ]
    with engine.begin() as connection:
        return list(connection.scalars(insert(Mailing).returning(Mailing.id), new))


def test_two_scans_at_once_share_the_due_rows_out(queue: Engine) -> None:
    ids = open_due(queue, 10)
    with queue.begin() as one, queue.begin() as other:
        first = transitions.wake_due(one, Priority.CAMPAIGN, NOW, 4, AGAIN)
        second = transitions.wake_due(other, Priority.CAMPAIGN, NOW, 100, AGAIN)

    assert len(first) == 4
    assert sorted(due.id for due in first + second) == sorted(ids)


def test_a_scan_does_not_wait_for_a_row_that_a_worker_moves_right_now(queue: Engine) -> None:
    ids = open_due(queue, 2)
    with queue.begin() as worker, queue.begin() as scan:
        assert transitions.claim(worker, ids[0], Stage.CREATE, NOW, LEASE)
        assert [due.id for due in transitions.wake_due(scan, Priority.CAMPAIGN, NOW, 9, AGAIN)] == ids[1:]


class Broker:
    """What waits in the broker: so many messages of each priority, and what was pushed."""

    def __init__(self, **waiting: int) -> None:
        self.waiting = {priority: waiting.get(priority.name, 0) for priority in Priority}
        self.pushed: list[tuple[Priority, Stage, Sequence[int]]] = []

    def push(self, priority: Priority, stage: Stage, mailing_ids: Sequence[int]) -> None:
        self.pushed.append((priority, stage, mailing_ids))

    def scan(self, engine: Engine, now: datetime = NOW, window: int = 500) -> int:
        settings = Settings(dispatch_window=window, push_again_seconds=AGAIN.total_seconds())
        context = WorkerContext(engine, None, settings)  # type: ignore[arg-type] # the scan speaks to no vendor
        return dispatcher.run_once(context, now, self.waiting.__getitem__, self.push)


def test_events_are_pushed_before_campaigns(queue: Engine) -> None:
    open_due(queue, 2)
    open_due(queue, 2, Priority.EVENT)
    broker = Broker()

    assert broker.scan(queue) == 4

    assert [priority for priority, *_ in broker.pushed] == [Priority.EVENT] * 2 + [Priority.CAMPAIGN] * 2


def test_no_more_than_the_window_waits_in_the_broker_however_many_a_message_stands_for(queue: Engine) -> None:
    open_due(queue, 19)
    assert Broker().scan(queue, window=10) == 10
    assert Broker(CAMPAIGN=1).scan(queue, window=10) == 10 - MESSAGE_BATCH_SIZE
    assert Broker(CAMPAIGN=2).scan(queue, window=10) == 0
    assert Broker(CAMPAIGN=9).scan(queue, window=10) == 0
    assert Broker().scan(queue, window=10) == 7


def test_few_mailings_are_spread_over_all_threads_and_many_share_messages(queue: Engine) -> None:
    few, many = Broker(), Broker()
    open_due(queue, 2 * MESSAGE_THREADS)
    few.scan(queue)
    ids = open_due(queue, 200)
    many.scan(queue)

    assert [len(mailings) for *_, mailings in few.pushed] == [1] * 2 * MESSAGE_THREADS
    sizes = [len(mailings) for *_, mailings in many.pushed]
    assert (max(sizes), sum(sizes)) == (MESSAGE_BATCH_SIZE, 200)
    assert sorted(one for *_, mailings in many.pushed for one in mailings) == ids


def test_a_message_is_of_one_stage_and_of_no_more_than_share_a_commit(queue: Engine) -> None:
    broker = Broker()
    ids = open_due(queue, 400)
    with queue.begin() as connection:
        further = {"stage": Stage.ATTACH, "order_id": 10_000 + Mailing.id}
        connection.execute(update(Mailing).where(Mailing.id.in_(ids[:300])).values(**further))

    broker.scan(queue)

    told = [(stage, one) for _, stage, mailings in broker.pushed for one in mailings]
    assert sorted(told, key=lambda each: each[1]) == [
        *((Stage.ATTACH, one) for one in ids[:300]),
        *((Stage.CREATE, one) for one in ids[300:]),
    ]
    assert max(len(mailings) for *_, mailings in broker.pushed) == MESSAGE_BATCH_SIZE


@pytest.mark.parametrize("why", ["its worker died", "its last write is unsure"])
def test_what_is_to_be_found_out_about_has_a_message_of_its_own(queue: Engine, why: str) -> None:
    broker = Broker()
    ids = open_due(queue, 100)
    dead = {"state": State.WORKING, "claim": uuid4(), "lease_until": NOW, "wake_at": NOW}
    unsure = {"recovering": True, "unsure_since": NOW}
    with queue.begin() as connection:
        values = dead if why == "its worker died" else unsure
        connection.execute(update(Mailing).where(Mailing.id.in_(ids[:2])).values(**values))

    broker.scan(queue)

    alone = [mailings for *_, mailings in broker.pushed if len(mailings) == 1]
    assert sorted(alone)[:2] == [[ids[0]], [ids[1]]]
    assert all(not {*ids[:2]} & {*mailings} for *_, mailings in broker.pushed if len(mailings) > 1)


def test_a_full_window_of_campaigns_does_not_hold_events_up(queue: Engine) -> None:
    open_due(queue, 3)
    open_due(queue, 2, Priority.EVENT)
    broker = Broker(CAMPAIGN=500)

    assert broker.scan(queue) == 2

    assert {priority for priority, *_ in broker.pushed} == {Priority.EVENT}


def test_a_lost_message_is_pushed_again_and_costs_that_time_only(queue: Engine) -> None:
    (mailing_id,) = open_due(queue, 1)
    broker = Broker()
    broker.scan(queue)
    assert broker.scan(queue, NOW + AGAIN / 2) == 0

    assert broker.scan(queue, NOW + AGAIN) == 1

    assert [mailings for *_, mailings in broker.pushed] == [[mailing_id], [mailing_id]]


def test_a_missed_tick_is_made_up_by_the_next(queue: Engine) -> None:
    open_due(queue, 3)
    assert Broker().scan(queue, NOW + timedelta(days=3)) == 3


def forge_many(connection: Connection, state: State, wake_at: datetime | None, count: int) -> None:
    connection.execute(
        text("""
            INSERT INTO mailing (key, request_digest, state, priority, not_before, wake_at, template_id,
                                 postage, speed, auto_bill, approval, size)
            SELECT :state || n, '', :state, 5, :now, CAST(:wake_at AS timestamptz) + n * interval '1 s',
                   1001, 'Standard', 'Normal', true, 'auto', 1
              FROM generate_series(1, :count) AS n
        """),
        {"state": state, "now": NOW, "wake_at": wake_at, "count": count},
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


@pytest.mark.parametrize("due", [0, 20])
def test_the_scan_reads_what_is_due_and_not_the_backlog(analyzed: Engine, due: int) -> None:
    bounds = {"now": NOW, "again": NOW + AGAIN, "priority": int(Priority.CAMPAIGN), "room": 500}
    with analyzed.connect() as connection:
        forge_many(connection, State.CANCELLED, None, 10_000)
        forge_many(connection, State.QUEUED, NOW - timedelta(seconds=due + 0.5), 50_000)
        connection.execute(text("ANALYZE mailing"))
        (plan,) = connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {WAKE.text}"), bounds).scalar_one()
        connection.rollback()

    read = [
        node for node in nodes(plan["Plan"]) if "Index Name" in node and node["Node Type"] != "ModifyTable"
    ]
    assert {node["Index Name"] for node in read} == {"ix_mailing_due", "pk_mailing"}
    assert max(node["Actual Rows"] for node in read) == due
    assert {one.get("Relation Name") for one in nodes(plan["Plan"]) if one["Node Type"] == "Seq Scan"} <= {
        "installation",
        "campaign",
        "create_gate",
    }


def test_the_scan_keeps_to_its_room_when_the_statistics_know_of_nothing_due(analyzed: Engine) -> None:
    with analyzed.connect() as connection:
        forge_many(connection, State.CANCELLED, None, 10_000)
        connection.execute(text("ANALYZE mailing"))
        forge_many(connection, State.QUEUED, NOW - timedelta(days=1), 300)

        woken = transitions.wake_due(connection, Priority.CAMPAIGN, NOW, 7, AGAIN)
        connection.rollback()

    assert len(woken) == 7


def test_the_wake_up_of_a_row_is_its_only_time_that_counts(queue: Engine) -> None:
    """A message may be as old as it likes: the row's own time decides, when it arrives."""
    (mailing_id,) = open_due(queue, 1)
    broker = Broker()
    broker.scan(queue)
    with queue.begin() as connection:
        later = {"not_before": NOW + timedelta(days=1), "wake_at": NOW + timedelta(days=1)}
        connection.execute(update(Mailing).where(Mailing.id == mailing_id).values(**later))

    with queue.begin() as connection:
        _, stage, mailings = broker.pushed[0]
        assert transitions.claim(connection, mailings[0], stage, NOW + AGAIN, LEASE) is None
        assert connection.scalar(select(Mailing.attempts)) == 0
