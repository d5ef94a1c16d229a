"""The log of workers and beat: one line for a broker or database that is unwell, whatever Celery would print."""

import logging
from collections.abc import Iterator
from typing import Final

from billiard.exceptions import RestartFreqExceeded  # type: ignore[import-untyped]
from celery.beat import SchedulingError
from kombu.exceptions import OperationalError
from redis.exceptions import (
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)
from sqlalchemy.exc import SQLAlchemyError

# The first that fits; its cause is in Redis and not in the task that met it.
_REDIS: Final = (
    (OutOfMemoryError, "Redis is full and refuses writes: raise its maxmemory"),
    (ReadOnlyError, "Redis is a replica or read-only: name its primary in REDIS_URL"),
    (NoPermissionError, "Redis does not let this user write: give the user of REDIS_URL the right"),
    (BusyLoadingError, "Redis is loading its data"),
    (RestartFreqExceeded, "Redis refuses what the worker asks for, again and again"),
    # The beat only publishes: its other errors are those of a channel that was closed a moment ago.
    ((RedisError, OperationalError, ConnectionError, TimeoutError, SchedulingError), "Redis is away"),
)
# Celery ends some messages with empty lines, and Python quotes the code that a warning is about.
_TALKATIVE: Final = ("celery", "py.warnings")
_MEANWHILE: Final = "mail waits in the database; see `mailrun doctor`"


class OneLineFormatter(logging.Formatter):
    """A formatter without tracebacks of other programs' troubles; those of Mailrun's own faults stay."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a trouble is named by its kind, for its text may hold people's data."""
        trouble = _find_trouble(record)
        if trouble is None and (record.exc_info or not record.name.startswith(_TALKATIVE)):
            return super().format(record)
        plain = logging.makeLogRecord(record.__dict__)
        plain.msg, plain.args = trouble or " ".join(record.getMessage().split()), None
        plain.exc_info = plain.exc_text = plain.stack_info = None
        return super().format(plain)


def _find_trouble(record: logging.LogRecord) -> str | None:
    error = record.exc_info[1] if record.exc_info else None
    for cause in _causes(error):
        if isinstance(cause, SQLAlchemyError):
            return f"database_trouble: {type(cause).__name__}; see `mailrun doctor`"
    for kinds, meaning in _REDIS:
        for cause in _causes(error):
            if isinstance(cause, kinds):
                return f"redis_trouble: {meaning}; {_MEANWHILE}"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
