"""A database that was restored or copied does not send until a person has armed it."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql
from sqlalchemy import Engine, make_url, select, update

from models import Installation, Mailing, Stage, State
from worker.context import WorkerContext, open_context
from worker.engine.pipeline import RunBudget, process
from worker.installation import activation
from worker.installation.epoch import PERIOD, Epochs, driver, open_epochs, verify_and_advance
from worker.orphans import account_ownership
from worker.settings import Settings


@pytest.fixture
def settings(database_url: str, redis_url: str, broker_prefix: str, sandbox: Any) -> Settings:
    sandbox.set(settleSeconds=0)
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        broker_prefix=broker_prefix,
        base_url=sandbox.api_url,
        api_key=sandbox.key,
        rate=10_000,
    )


@pytest.fixture
def epochs(settings: Settings) -> Iterator[Epochs]:
    opened = open_epochs(settings.redis_url, settings.broker_prefix)
    yield opened
    opened.redis.close()


@pytest.fixture
def tick(context: WorkerContext, clock: Any, epochs: Epochs) -> Callable[[], bool]:
    """Return a function that does what each tick of the beat does about the epoch, and says whether it is armed."""

    def one_tick() -> bool:
        with context.engine.begin() as connection:
            return verify_and_advance(driver(connection), epochs, clock())

    return one_tick


@pytest.fixture
def copy_of(postgres: Any, database_url: str) -> Iterator[Callable[[], str]]:
    """Return a function that copies this test's database as `createdb --template` does."""
    made: list[str] = []

    def copied() -> str:
        original = make_url(database_url).database or ""
        name = f"{original}_copy{len(made)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        with postgres.connect() as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(original)))
        made.append(name)
        return str(postgres.url(name))

    yield copied
    for name in made:
        with postgres.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def restore_epoch(engine: Engine, backup: Any) -> None:
    with engine.begin() as connection:
        values = {"epoch": backup.epoch, "epoch_before": backup.epoch_before, "epoch_at": backup.epoch_at}
        connection.execute(update(Installation).values(values))


def look(engine: Engine) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(*Installation.__table__.columns)).one()


def test_an_ordinary_installation_stays_armed_for_days(tick: Callable[[], bool], clock: Any) -> None:
    for _ in range(5):
        assert tick()
        clock.forward(PERIOD.total_seconds() * 700)


def test_an_emptied_redis_disarms_nothing(tick: Callable[[], bool], clock: Any, epochs: Epochs) -> None:
    tick()
    clock.forward(PERIOD.total_seconds())
    tick()

    epochs.redis.delete(epochs.key)

    assert tick()


@pytest.mark.parametrize("stopped_after", ["announcing", "moving on"])
def test_a_crash_while_the_epoch_moves_on_disarms_nothing(
    tick: Callable[[], bool], clock: Any, epochs: Epochs, engine: Engine, stopped_after: str
) -> None:
    tick()
    before = look(engine)
    coming = epochs.announce(uuid4())
    if stopped_after == "moving on":
        with engine.begin() as connection:
            connection.execute(update(Installation).values(epoch=coming, epoch_before=before.epoch))

    clock.forward(PERIOD.total_seconds())

    assert tick()
    assert tick()
    assert epochs.read() == (look(engine).epoch, None)


def test_a_backup_restored_over_the_original_is_disarmed_and_sends_nothing(
    tick: Callable[[], bool],
    clock: Any,
    engine: Engine,
    context: WorkerContext,
    new_mailing: Any,
    pen: Any,
    sandbox: Any,
) -> None:
    mailing_id = new_mailing()
    tick()
    backup = look(engine)
    for _ in range(2):
        clock.forward(PERIOD.total_seconds())
        tick()

    restore_epoch(engine, backup)

    assert not tick()
    process(context, [mailing_id], Stage.CREATE, RunBudget())
    assert pen.mailing(mailing_id).state is State.QUEUED
    assert sandbox.ledger()["totals"]["created"] == 0


def test_a_copy_beside_its_living_original_is_disarmed_on_its_first_connection(
    tick: Callable[[], bool],
    context: WorkerContext,
    engine: Engine,
    copy_of: Callable[[], str],
    settings: Settings,
    clock: Any,
    new_mailing: Any,
    sandbox: Any,
) -> None:
    mailing_id = new_mailing()
    tick()
    context.engine.dispose()
    engine.dispose()
    copy = open_context(settings.model_copy(update={"database_url": copy_of()}), clock=clock)
    try:
        process(copy, [mailing_id], Stage.CREATE, RunBudget())
        with copy.engine.connect() as connection:
            assert connection.scalar(select(Mailing.state)) is State.QUEUED
        assert look(copy.engine).disarmed_why == "this database was restored or copied into another server"
        assert sandbox.ledger()["totals"]["created"] == 0
        assert tick(), "the original goes on"
    finally:
        copy.close()


def test_arming_holds_back_who_was_mailed_since_the_backup_and_lets_the_rest_go(
    tick: Callable[[], bool],
    clock: Any,
    engine: Engine,
    context: WorkerContext,
    new_mailing: Any,
    finish: Any,
    pen: Any,
    sandbox: Any,
) -> None:
    sent, unsent = new_mailing(people=2), new_mailing([_somebody_else()])
    tick()
    backup, row = look(engine), pen.mailing(sent)
    finish(sent)
    for _ in range(2):
        clock.forward(PERIOD.total_seconds())
        tick()
    restore_epoch(engine, backup)
    _restore_mailing(pen, row)
    assert not tick()

    found = activation.compare_with_vendor(context, pause=lambda _: None)
    order_id = found.unknown[0].id
    assert found.suspects == {sent: order_id}
    assert activation.activate(context, found, "somebody", clock()) == 1

    assert tick()
    assert pen.mailing(sent).reason_code == "maybe_sent"
    assert finish(unsent).state is State.SENT
    assert max(sandbox.ledger()["people"].values()) == 1


def _somebody_else() -> dict[str, Any]:
    return {
        "position": 0,
        "digest": b"0" * 16,
        "first_name": "Somebody",
        "last_name": "Else",
        "address1": "9 Elm Avenue",
        "city": "Springfield",
        "state": "IL",
        "zip_code": "62701",
        "merge": {},
    }


def _restore_mailing(pen: Any, row: Any) -> None:
    columns = ("stage", "state", "wake_at", "order_id", "cursor", "accepted", "recipients_digest", "quoted")
    values = {name: getattr(row, name) for name in columns}
    pen.forge(row.id, **values, proof_sha256=None, charged=None, order_status=None)


def test_a_redis_without_an_epoch_raises_a_doubt_until_the_vendors_orders_are_seen(
    context: WorkerContext, epochs: Epochs, tick: Callable[[], bool], clock: Any, new_mailing: Any
) -> None:
    tick()
    mailing_id = new_mailing(1)
    epochs.redis.delete(epochs.key)

    assert tick()
    process(context, [mailing_id], Stage.CREATE, RunBudget(stopping=True))
    with context.engine.connect() as connection:
        assert connection.scalar(select(Installation.doubted_at)) is not None
        assert connection.scalar(select(Mailing.stage)) is Stage.CREATE

    account_ownership.settle_doubt(context, clock())

    process(context, [mailing_id], Stage.CREATE, RunBudget(stopping=True))
    with context.engine.connect() as connection:
        assert connection.scalar(select(Mailing.stage)) is Stage.ATTACH


def test_a_new_installation_has_no_doubt(context: WorkerContext, tick: Callable[[], bool]) -> None:
    assert tick()

    with context.engine.connect() as connection:
        assert connection.scalar(select(Installation.doubted_at)) is None
