"""What the chaos run found, each case in its smallest form."""

from typing import Any

import pytest

from models import Stage
from worker.celery_app import TICKS, build
from worker.settings import Settings


@pytest.fixture
def broker(settings: Settings, redis_url: str, broker_prefix: str) -> Any:
    app = build(settings.model_copy(update={"redis_url": redis_url, "broker_prefix": broker_prefix}))
    yield app
    app.close()


def _waiting(broker: Any) -> int:
    with broker.connection_for_read() as connection:
        return int(connection.default_channel.queue_declare(queue=TICKS).message_count)


def test_a_pile_of_old_ticks_is_cleared_by_the_first_and_keeps_nobody_waiting(
    broker: Any,
    sandbox: Any,
    worker_process: Any,
    new_mailing: Any,
    pen: Any,
    eventually: Any,
) -> None:
    tick = broker.conf.beat_schedule["dispatch"]
    for _ in range(200):
        broker.send_task(tick["task"], **tick.get("options", {}))
    mailing = new_mailing()

    worker_process(sandbox.env)

    eventually(lambda: pen.mailing(mailing).stage is Stage.SETTLE)
    eventually(lambda: _waiting(broker) == 0)


def test_a_tick_that_waited_for_a_worker_is_still_worth_something(broker: Any) -> None:
    # With two beats and a slow worker, ticks that expire would all have expired when their turn came.
    assert "expires" not in broker.conf.beat_schedule["dispatch"].get("options", {})
