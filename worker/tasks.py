"""The Celery tasks: five stages and settle, each a thin wake-up for mailings, and the beat's dispatch."""

import gc
import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from celery import Task, chain, signals
from sqlalchemy.exc import SQLAlchemyError

from lettrlabs import VendorError
from models import Priority, Stage
from worker.celery import QUEUES, TICKS, build
from worker.context import WorkerContext, measure_skew, open_context
from worker.engine import dispatcher as due_scan
from worker.engine import pipeline
from worker.engine.pipeline import ChainAction, RunBudget, process
from worker.installation import epoch, heartbeat
from worker.logs import OneLineFormatter
from worker.orphans import account_ownership
from worker.periodic import delivery_tracking, paid_orders, recurrences, retention, webhook_delivery
from worker.periodic import orphan_sweep as stray_hunt
from worker.settings import SettingsError, read_settings

log = logging.getLogger(__name__)

_BEAT_SECONDS = 10.0
# A few wait whenever all threads are busy.
_PILE_OF_TICKS = 10

try:
    settings = read_settings()
    app = build(settings)
except SettingsError as error:
    # Whoever runs `celery -A worker` reads this: a line each, not Celery's traceback.
    raise SystemExit(str(error)) from None

_opening = threading.Lock()
_desks: dict[str, WorkerContext] = {}
_epochs = epoch.open_epochs(settings.redis_url, settings.broker_prefix)
_pace = RunBudget()
_stopped = threading.Event()


def context() -> WorkerContext:
    """Return this process's desk; the first call opens it. A forked child opens its own."""
    process = heartbeat.this_process()
    with _opening:
        if process not in _desks:
            _desks[process] = open_context(settings)
        return _desks[process]


def _wake(task: Task, stage: Stage, mailing_ids: Sequence[int]) -> None:
    try:
        what_next = process(context(), mailing_ids, stage, _pace)
    except SQLAlchemyError as error:
        # The claims, if there are any, run out, and the due scan wakes the rows again.
        named = ", ".join(map(str, mailing_ids))
        log.error("database_trouble: mailing %s, %s: %s", named, stage, type(error).__name__)  # noqa: TRY400
        what_next = ChainAction.NOTHING
    if what_next is ChainAction.NOTHING:
        # Celery publishes what is left of the chain from here (celery/app/trace.py).
        task.request.chain = None


@app.task(name="mailrun.create", bind=True)
def create(self: Task, *mailing_ids: int) -> None:
    """Create the orders of mailings, if that is due."""
    _wake(self, Stage.CREATE, mailing_ids)


@app.task(name="mailrun.attach", bind=True)
def attach(self: Task, *mailing_ids: int) -> None:
    """Attach the recipients of mailings, if that is due."""
    _wake(self, Stage.ATTACH, mailing_ids)


@app.task(name="mailrun.proof", bind=True)
def proof(self: Task, *mailing_ids: int) -> None:
    """Fetch the proofs of mailings, if that is due."""
    _wake(self, Stage.PROOF, mailing_ids)


@app.task(name="mailrun.summarize", bind=True)
def summarize(self: Task, *mailing_ids: int) -> None:
    """Fetch the quotes of mailings, if that is due."""
    _wake(self, Stage.SUMMARIZE, mailing_ids)


@app.task(name="mailrun.checkout", bind=True)
def checkout(self: Task, *mailing_ids: int) -> None:
    """Check out mailings, if that is due and agreed."""
    _wake(self, Stage.CHECKOUT, mailing_ids)


@app.task(name="mailrun.settle")
def settle(*mailing_ids: int) -> None:
    """Look whether the payments of mailings have settled, where that is due."""
    try:
        pipeline.settle(context(), mailing_ids, _pace)
    except SQLAlchemyError as error:
        log.error("database_trouble: %s settling: %s", len(mailing_ids), type(error).__name__)  # noqa: TRY400


STAGE_TASKS = {
    Stage.CREATE: create,
    Stage.ATTACH: attach,
    Stage.PROOF: proof,
    Stage.SUMMARIZE: summarize,
    Stage.CHECKOUT: checkout,
    Stage.SETTLE: settle,
}


def publish(priority: Priority, stage: Stage, mailing_ids: Sequence[int]) -> None:
    """Publish one message for mailings that are due at one stage: the rest of their chain, or settle."""
    links = [
        STAGE_TASKS[one].si(*mailing_ids).set(queue=QUEUES[priority]) for one in due_scan.rest_of_chain(stage)
    ]
    (chain(*links) if len(links) > 1 else links[0]).apply_async()


def queue_length(priority: Priority) -> int:
    """Return how many messages wait in the broker for mailings of one priority."""
    with app.pool.acquire(block=True, timeout=10) as connection:
        waiting: int = connection.default_channel.queue_declare(queue=QUEUES[priority]).message_count
        return waiting


def _clear_piled_ticks() -> None:
    """Empty the queue of ticks that piled up while nobody listened: this one does what they ask for.

    An hourly sweep among them comes again within the hour.
    """
    with app.pool.acquire(block=True, timeout=10) as connection:
        channel = connection.default_channel
        if channel.queue_declare(queue=TICKS).message_count > _PILE_OF_TICKS:
            channel.queue_purge(TICKS)


def _settle_doubt(here: WorkerContext, now: datetime) -> None:
    try:
        account_ownership.settle_doubt(here, now)
    except VendorError as trouble:
        log.warning("vendor_trouble: is this a copy? %s", trouble)


@app.task(name="mailrun.dispatch")
def dispatch() -> None:
    """Wake what is due; pushed by the beat at every tick."""
    _clear_piled_ticks()
    here = context()
    now = here.clock()
    try:
        with here.engine.begin() as connection:
            epoch.verify_and_advance(epoch.driver(connection), _epochs, now)
        _settle_doubt(here, now)
        recurrences.open_due(here.engine, now)
        due_scan.run_once(here, now, queue_length, publish)
        heartbeat.beat(here.engine, heartbeat.DISPATCH, heartbeat.DISPATCH, now)
    except SQLAlchemyError as error:
        log.error("database_trouble: dispatch: %s", type(error).__name__)  # noqa: TRY400 - one line is enough


@app.task(name="mailrun.sweep")
def sweep() -> None:
    """Look for drafts that no mailing explains; pushed by the beat every hour."""
    here = context()
    try:
        stray_hunt.run_once(here, here.clock())
    except VendorError as trouble:
        log.warning("vendor_trouble: sweep: %s", trouble)
    except SQLAlchemyError as error:
        log.error("database_trouble: sweep: %s", type(error).__name__)  # noqa: TRY400 - one line is enough


@app.task(name="mailrun.forget")
def forget() -> None:
    """Blank personal data that has served; pushed by the beat every hour."""
    here = context()
    keep = timedelta(days=here.settings.keep_personal_days)
    try:
        retention.run_once(here.engine, here.clock(), keep, here.settings.data_dir)
    except SQLAlchemyError as error:
        log.error("database_trouble: forget: %s", type(error).__name__)  # noqa: TRY400 - one line is enough


@app.task(name="mailrun.notices")
def notices() -> None:
    """Tell webhooks what happened; pushed by the beat at every tick."""
    here = context()
    try:
        webhook_delivery.run_once(here.engine, here.settings, here.clock())
    except SQLAlchemyError as error:
        log.error("database_trouble: notices: %s", type(error).__name__)  # noqa: TRY400 - one line is enough


@app.task(name="mailrun.tracking")
def track() -> None:
    """Look for the pieces of sent mailings that are due a look; pushed by the beat every minute."""
    here = context()
    try:
        delivery_tracking.run_once(here, here.clock())
    except VendorError as trouble:
        log.warning("vendor_trouble: tracking: %s", trouble)
    except SQLAlchemyError as error:
        log.error("database_trouble: tracking: %s", type(error).__name__)  # noqa: TRY400 - one line is enough


@app.task(name="mailrun.paid_orders")
def watch_paid_orders() -> None:
    """Look at paid orders that are due a look; pushed by the beat every minute."""
    here = context()
    try:
        paid_orders.run_once(here, here.clock())
    except VendorError as trouble:
        log.warning("vendor_trouble: paid orders: %s", trouble)
    except SQLAlchemyError as error:
        log.error("database_trouble: paid orders: %s", type(error).__name__)  # noqa: TRY400 - one line is enough


def _show_life() -> None:
    while not _stopped.is_set():
        try:
            here = context()
            measure_skew(here.engine)
            heartbeat.beat(here.engine, heartbeat.this_process(), heartbeat.WORKER, here.clock())
        except SQLAlchemyError as error:
            log.warning("database_trouble: heartbeat: %s", type(error).__name__)
        _stopped.wait(_BEAT_SECONDS)


@signals.worker_ready.connect
def _when_ready(**_: Any) -> None:  # noqa: ANN401 - Celery's signals hand over whatever they like
    try:
        context()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    # What is loaded by now stays: the collector would look it all over again for every few pages of people.
    gc.collect()
    gc.freeze()
    threading.Thread(target=_show_life, name="heartbeat", daemon=True).start()


@signals.worker_shutting_down.connect
def _when_stopping(**_: Any) -> None:  # noqa: ANN401 - as above
    _pace.stopping = True
    _stopped.set()


@signals.setup_logging.connect
def _log_plainly(loglevel: int, **_: Any) -> None:  # noqa: ANN401 - as above
    handler = logging.StreamHandler()
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=loglevel, handlers=[handler])
    logging.captureWarnings(capture=True)
    # httpx names every URL it calls; the journal has them already.
    logging.getLogger("httpx").setLevel(logging.WARNING)
