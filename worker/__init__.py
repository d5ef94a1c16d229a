"""What is done: the stages of a mailing, the one writer of state, the due scan, and the Celery app that runs them.

``celery -A worker worker`` and ``celery -A worker beat`` find the app here. The app is built on first use, so that
reading a setting or a move costs no Celery.
"""

from typing import Any


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute may be anything
    if name in {"app", "celery"}:
        from worker.tasks import app  # noqa: PLC0415 - only the worker and the beat need Celery

        return app
    raise AttributeError(name)
