"""The Celery app. Each setting has its reason; what was measured is in ``docs/operations.md``."""

from typing import Any

from celery import Celery
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu import Exchange, Queue

from models import Priority
from worker.context import MESSAGE_THREADS
from worker.settings import Settings, SettingsError

EXCHANGE = Exchange("mailrun", type="direct")
TICKS = "mailrun.ticks"
QUEUES = {Priority.EVENT: "mailrun.events", Priority.CAMPAIGN: "mailrun.campaigns"}


class Consumer(CeleryConsumer):
    """Celery's consumer without gossip and mingle.

    With either, a 5.7 worker that loses its broker while a late-acked message is in flight exits instead of
    reconnecting (celery/worker/consumer/consumer.py, ``on_connection_error_after_connected``).
    """

    def __init__(self, *args: Any, worker_options: dict[str, Any] | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        without = {"without_gossip": True, "without_mingle": True}
        super().__init__(*args, worker_options={**(worker_options or {}), **without}, **kwargs)
        # A read-only Redis, a replica or a lost right is a "channel error": Celery ends the worker, and need not.
        self.connection_errors = (*self.conninfo.connection_errors, *self.conninfo.channel_errors)


def _transport(settings: Settings) -> dict[str, Any]:
    return {
        # A message whose worker died comes back after this. Longer than any task, so that none overlaps itself.
        "visibility_timeout": max(900, int(settings.lease_seconds * 5)),
        # The default looks for such messages only now and then; the due scan is faster, this is the net below it.
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        # Lets several installations, and test runs, share one Redis.
        "global_keyprefix": settings.broker_prefix,
        # A broker that is gone must be noticed, or its reader hangs for ever.
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "max_connections": 50,
    }


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "broker_url": settings.redis_url,
        "broker_transport_options": _transport(settings),
        # A broker that is away comes back; giving up would need a person.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_limit": 32,
        # The default waits for a free connection without end.
        "broker_pool_acquire_timeout": 10,
        # The row tells what became of a task; results would cost a fifth of the throughput.
        "result_backend": None,
        "task_ignore_result": True,
        # A message is done with when its task is: a killed worker's messages come back.
        "task_acks_late": True,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        # Rejecting on a lost worker would loop for ever; the row counts the attempts instead.
        "task_reject_on_worker_lost": False,
        "task_retry_on_worker_lost": True,
        "task_publish_retry_policy": {
            "max_retries": 20,
            "interval_start": 0.2,
            "interval_step": 0.5,
            "interval_max": 2,
        },
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_create_missing_queues": False,
        # Each with its own key: by Celery's default all would share one, and get a copy of every message.
        "task_queues": [Queue(name, EXCHANGE, routing_key=name) for name in (TICKS, *QUEUES.values())],
        "task_default_queue": TICKS,
        "task_default_exchange": EXCHANGE.name,
        "task_default_routing_key": TICKS,
        # A stage waits for the vendor most of its time: threads cost least. Scale by processes.
        "worker_pool": "threads",
        "worker_concurrency": MESSAGE_THREADS,
        "worker_prefetch_multiplier": 1,
        "worker_consumer": "worker.celery:Consumer",
        # With remote control a worker may not survive its broker (see Consumer); health is read from the database.
        "worker_enable_remote_control": False,
        # An interrupted call is an unknown one: better to let it end than to find it out.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_soft_shutdown_timeout": 60,
        "worker_send_task_events": False,
        "worker_redirect_stdouts": False,
        "worker_hijack_root_logger": False,
        # By name: intake stands above the worker, which must not import it.
        "imports": ("intake.events.tasks",),
        # Ticks carry no memory, so the beat needs no file of its own.
        "beat_scheduler": "celery.beat:Scheduler",
        "beat_max_loop_interval": max(settings.tick_seconds, 0.1),
        "beat_schedule": {
            # Without an expiry: behind a pile of old ticks every new one would have expired when its turn came,
            # and nothing would be dispatched until the pile was gone. The first to be taken clears it instead.
            "dispatch": {"task": "mailrun.dispatch", "schedule": settings.tick_seconds},
            "events": {"task": "mailrun.events", "schedule": settings.tick_seconds},
            "notices": {"task": "mailrun.notices", "schedule": settings.tick_seconds},
            "tracking": {"task": "mailrun.tracking", "schedule": 60.0, "options": {"expires": 120}},
            "paid_orders": {"task": "mailrun.paid_orders", "schedule": 60.0, "options": {"expires": 120}},
            "sweep": {"task": "mailrun.sweep", "schedule": 3600.0, "options": {"expires": 1800}},
            # By the hour, not by the day: the beat counts from its own start, and not every one lives for a day.
            "forget": {"task": "mailrun.forget", "schedule": 3600.0, "options": {"expires": 1800}},
        },
        "timezone": "UTC",
        "enable_utc": True,
    }


def build(settings: Settings) -> Celery:
    """Return the app; raises SettingsError if no broker is named."""
    if settings.redis_url is None:
        raise SettingsError("REDIS_URL: must name the broker; `mailrun up` starts one by itself")
    app = Celery("mailrun", set_as_current=False)
    app.conf.update(_configuration(settings))
    return app
