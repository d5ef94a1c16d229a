"""A worker's hands without its broker: mailings are attached as its messages have them, many at once.

Run as a program of its own: reads a JSON line ``[stage, [mailing ids]]``, has that stage done, says ``done``, and
reads the next one, until there is none.
"""

import gc
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from models import Stage
from worker.context import CALL_POOL_SIZE, MESSAGE_THREADS, WorkerContext, open_context
from worker.engine.pipeline import RunBudget, process
from worker.settings import read_settings

DONE: Final = "done"
# As many of a message wait for a slow vendor together; more would be given back, for no time is left after the stage.
_MESSAGE: Final = 2 * CALL_POOL_SIZE // MESSAGE_THREADS


def main() -> None:
    """Do as told."""
    context, pace = open_context(read_settings()), RunBudget(seconds=0)
    # As a worker does once it is ready.
    gc.freeze()
    with ThreadPoolExecutor(MESSAGE_THREADS) as threads:
        for line in sys.stdin:
            stage, mailing_ids = json.loads(line)
            _have_done(threads, context, Stage(stage), mailing_ids, pace)
            print(DONE, flush=True)
    context.close()


def _have_done(
    threads: ThreadPoolExecutor,
    context: WorkerContext,
    stage: Stage,
    mailing_ids: Sequence[int],
    pace: RunBudget,
) -> None:
    messages = [mailing_ids[start : start + _MESSAGE] for start in range(0, len(mailing_ids), _MESSAGE)]
    for turn in [threads.submit(process, context, message, stage, pace) for message in messages]:
        turn.result()


if __name__ == "__main__":
    main()
