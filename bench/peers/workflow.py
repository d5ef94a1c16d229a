"""The DBOS workflow: each vendor call a step with retries, remembered in PostgreSQL. Runs in bench/.venv.

``python -m bench.peers.workflow NAME`` is one executor; restarted under its name it goes on with what it had begun.
"""

import os
import sys
import threading
from typing import Any

from dbos import DBOS, DBOSConfig

from bench.peers.reports import report
from bench.peers.vendor import DeclinedError, RefusedError, SettlingError, Vendor
from bench.workload import Person, SampleMailing

QUEUE = "mail"
VERSION = "1"
WORKFLOW = "send"

vendor = Vendor()


def _worth_another_try(error: BaseException) -> bool:
    return not isinstance(error, (RefusedError, DeclinedError))


def _step(max_attempts: int = 9) -> Any:  # noqa: ANN401 - DBOS's decorator
    return DBOS.step(
        retries_allowed=True,
        interval_seconds=0.5,
        backoff_rate=2,
        max_attempts=max_attempts,
        should_retry=_worth_another_try,
    )


def _letter(told: dict[str, Any]) -> SampleMailing:
    return SampleMailing(told["key"], told["template"], tuple(Person(**one) for one in told["people"]))


@_step()
def create(told: dict[str, Any]) -> int:
    """Create the order."""
    return vendor.create(_letter(told))


@_step()
def attach(order: int, told: dict[str, Any]) -> list[str]:
    """Attach the people; returns those refused."""
    return vendor.attach(order, _letter(told))


@_step()
def proof(order: int) -> None:
    """Fetch the proof."""
    vendor.proof(order)


@_step()
def summarize(order: int) -> float:
    """Fetch the quote."""
    return vendor.summarize(order)


@_step()
def checkout(order: int) -> None:
    """Pay."""
    vendor.checkout(order)


@_step()
def settled(order: int) -> bool:
    """Look whether the payment has settled."""
    try:
        vendor.settled(order)
    except SettlingError:
        return False
    return True


@_step()
def tell(key: str, why: str, people: list[str]) -> None:
    """Tell a person."""
    report(key, why, tuple(people))


@DBOS.workflow(name=WORKFLOW)
def send(told: dict[str, Any]) -> None:
    """Send one mailing."""
    try:
        _send(told)
    except Exception as error:
        tell(told["key"], type(error).__name__, [])
        raise


def _send(told: dict[str, Any]) -> None:
    order = create(told)
    refused = attach(order, told)
    if len(refused) == len(told["people"]):
        raise RefusedError("nobody is left on the order")
    if refused:
        tell(told["key"], "refused by the vendor", refused)
    proof(order)
    summarize(order)
    checkout(order)
    if os.environ.get("BENCH_SETTLE") == "0":
        return
    while not settled(order):
        DBOS.sleep(0.5)


def main() -> None:
    """Run until ended."""
    config: DBOSConfig = {
        "name": "mail",
        "system_database_url": os.environ["DATABASE_URL"],
        "executor_id": sys.argv[1],
        "application_version": VERSION,
    }
    DBOS(config=config)
    DBOS.launch()
    concurrency = int(os.environ.get("BENCH_CONCURRENCY", "16"))
    DBOS.register_queue(QUEUE, worker_concurrency=concurrency, polling_interval_sec=0.5)
    print("ready.", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
