"""The process, top to bottom: a message wakes mailings, their stage is done, and their rows say what is next.

    create -> attach -> proof -> summarize -> checkout        one chain of messages
                                                  settle      woken by the due scan until the payment is through,
                                                              many mailings with one message

A message carries ids and nothing else. Whatever it finds, the rows decide: a message that comes late, twice,
out of order or never changes nothing.
"""

import time
from collections.abc import Sequence

from models import Stage
from worker import prefetch, transitions
from worker.context import WorkerContext
from worker.engine import parallel
from worker.engine.parallel import ChainAction
from worker.engine.run_budget import RunBudget
from worker.job import StageJob

__all__ = ["CHAIN", "ChainAction", "RunBudget", "process", "settle"]

CHAIN = (Stage.CREATE, Stage.ATTACH, Stage.PROOF, Stage.SUMMARIZE, Stage.CHECKOUT)


def process(context: WorkerContext, mailing_ids: Sequence[int], stage: Stage, pace: RunBudget) -> ChainAction:
    """Do a stage of mailings that are due, and, while the pace allows, the stages after it.

    Each stage's end is committed before the next begins, so a mailing resumes there whatever happens.
    """
    started = time.monotonic()
    works = [StageJob(context, claimed) for claimed in _claim(context, mailing_ids, stage)]
    what_next = parallel.go_on(works, pace, started)
    # Those that could not be claimed may be further on already: then a later message of the chain is theirs.
    return what_next if len(works) == len(mailing_ids) else ChainAction.GO_ON


def _claim(
    context: WorkerContext, mailing_ids: Sequence[int], stage: Stage
) -> list[transitions.ClaimedMailing]:
    with context.engine.begin() as connection:
        now = context.clock()
        if len(mailing_ids) > 1:
            return transitions.claim_many(connection, mailing_ids, stage, now, context.lease)
        claimed = transitions.claim(connection, mailing_ids[0], stage, now, context.lease)
    return [] if claimed is None else [claimed]


def settle(context: WorkerContext, mailing_ids: Sequence[int], pace: RunBudget) -> None:
    """Look whether the payments of several mailings have settled: one claim, one look at them all, one commit."""
    started = time.monotonic()
    claimed = _claim(context, mailing_ids, Stage.SETTLE)
    if not claimed:
        return
    seen = prefetch.look(context, [one.order for one in claimed])
    works = [StageJob(context, one) for one in claimed]
    for job in works:
        job.see(seen)
    parallel.go_on(works, pace, started)
