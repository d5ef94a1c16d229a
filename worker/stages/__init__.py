"""The stages of a mailing, one module each: ``run`` does it, ``recover`` finds out whether it was done.

Both take the Work of a claim and return one Result; neither holds a transaction open across a vendor call.
"""

from typing import Protocol

from models import Stage
from worker.job import StageJob
from worker.results import Result
from worker.stages import attach, checkout, create, proof, settle, summarize


class StageModule(Protocol):
    """What every stage module offers."""

    def run(self, job: StageJob) -> Result:
        """Do the stage."""

    def recover(self, job: StageJob) -> Result:
        """Find out what an interrupted or unreadable write of this stage did."""


STAGES: dict[Stage, StageModule] = {
    Stage.CREATE: create,
    Stage.ATTACH: attach,
    Stage.PROOF: proof,
    Stage.SUMMARIZE: summarize,
    Stage.CHECKOUT: checkout,
    Stage.SETTLE: settle,
}
