"""Intake's own Celery task. The worker knows it by name only (`imports` of its app): intake stands above it."""

import logging
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from intake.events.processor import ProcessingTime, run_once
from worker.tasks import app, context

log = logging.getLogger(__name__)


@app.task(name="mailrun.events")
def events() -> None:
    """Answer the events that were received, and close the gatherings that are due; pushed by the beat every tick."""
    here = context()
    again = timedelta(seconds=here.settings.push_again_seconds)
    try:
        run_once(here.engine, ProcessingTime(here.clock(), here.settings.zone, again))
    except SQLAlchemyError as error:
        log.error("database_trouble: events: %s", type(error).__name__)  # noqa: TRY400 - one line is enough
