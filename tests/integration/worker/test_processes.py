"""The pipeline in real Celery processes: messages through Redis, a worker and a beat."""

import re
from collections import Counter
from typing import Any

import pytest

from models import State


@pytest.fixture
def quick(sandbox: Any) -> dict[str, str]:
    sandbox.set(settleSeconds=0)
    return sandbox.env | {
        "LETTRLABS_RATE": "10000",
        "MAILRUN_TICK_SECONDS": "0.2",
        "MAILRUN_POLL_SECONDS": "0.2",
        "MAILRUN_RETRY_SECONDS": "0.2",
        "MAILRUN_VISIBILITY_WINDOW_SECONDS": "0.5",
    }


def test_a_beat_and_a_worker_send_what_is_queued(
    quick: dict[str, str], worker_process: Any, new_mailing: Any, pen: Any, sandbox: Any, eventually: Any
) -> None:
    mailings = [new_mailing(people=2) for _ in range(5)]

    worker = worker_process(quick)
    worker_process(quick, beat=True)

    eventually(lambda: all(pen.mailing(one).state is State.SENT for one in mailings))
    assert sandbox.ledger()["totals"]["paid"] == 5
    # One message runs through all five stages: what is left of its chain is dropped.
    received = Counter(re.findall(r"Task mailrun\.(\w+)\[[^]]*\] received", worker.said()))
    assert received["create"] == len(mailings)
    assert not received.keys() & {"attach", "proof", "summarize", "checkout"}
