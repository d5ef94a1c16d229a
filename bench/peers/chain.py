"""The plain Celery chain: retries with backoff, late acks, Redis, and no state of its own.

``celery -A bench.peers.chain worker``. The order's id travels along the chain. A mailing that has used up its
retries is reported; one whose message is lost is not, for nobody knows of it.
"""

import os
from dataclasses import asdict
from typing import Any

import httpx
from celery import Celery, Task, chain

from bench.peers.reports import report
from bench.peers.vendor import RefusedError, SettlingError, Vendor
from bench.workload import Person, SampleMailing

app = Celery("chain", broker=os.environ["REDIS_URL"])
app.conf.update(
    broker_transport_options={
        # Longer than any task or backoff; the rest so that a run of minutes sees what a day would (kombu 5.7).
        "visibility_timeout": 30,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "global_keyprefix": os.environ.get("BENCH_PREFIX", "chain:"),
    },
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_redirect_stdouts=False,
    # The worker would otherwise bind a mailbox that the emptied broker forgets.
    worker_enable_remote_control=False,
)
vendor = Vendor()


class Reported(Task):  # type: ignore[misc]
    """A task whose failure somebody hears of."""

    autoretry_for = (httpx.HTTPError, ValueError, SettlingError)
    retry_backoff = 0.5
    retry_backoff_max = 15
    retry_jitter = True
    max_retries = 8

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ANN401, ARG002
        """Tell a person."""
        told = args[-1]
        report(told["key"], f"{self.name}: {type(exc).__name__}")


def _letter(told: dict[str, Any]) -> SampleMailing:
    return SampleMailing(told["key"], told["template"], tuple(Person(**one) for one in told["people"]))


@app.task(name="create", base=Reported)
def create(told: dict[str, Any]) -> int:
    """Create the order."""
    return vendor.create(_letter(told))


@app.task(name="attach", base=Reported)
def attach(order: int, told: dict[str, Any]) -> int:
    """Attach the people."""
    refused = vendor.attach(order, _letter(told))
    if len(refused) == len(told["people"]):
        raise RefusedError(f"order {order}: nobody is left on it")
    if refused:
        report(told["key"], "refused by the vendor", tuple(refused))
    return order


@app.task(name="proof", base=Reported)
def proof(order: int, told: dict[str, Any]) -> int:  # noqa: ARG001 - for the report
    """Fetch the proof."""
    vendor.proof(order)
    return order


@app.task(name="summarize", base=Reported)
def summarize(order: int, told: dict[str, Any]) -> int:  # noqa: ARG001 - for the report
    """Fetch the quote."""
    vendor.summarize(order)
    return order


@app.task(name="checkout", base=Reported)
def checkout(order: int, told: dict[str, Any]) -> int:  # noqa: ARG001 - for the report
    """Pay."""
    vendor.checkout(order)
    return order


@app.task(name="settle", base=Reported, max_retries=30)
def settle(order: int, told: dict[str, Any]) -> int:  # noqa: ARG001 - for the report
    """Wait for the payment to settle."""
    vendor.settled(order)
    return order


def send(letter: SampleMailing) -> None:
    """Start the chain of one mailing; raises kombu's OperationalError if the broker is away.

    With BENCH_SETTLE=0 it ends with the checkout, whether or not the payment settles.
    """
    told = asdict(letter)
    steps = (create, attach, proof, summarize, checkout)
    first, *rest = steps if os.environ.get("BENCH_SETTLE") == "0" else (*steps, settle)
    chain(first.s(told), *(task.s(told) for task in rest)).apply_async(retry=False)
