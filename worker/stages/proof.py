"""Fetch the proof: what the first person on the order will get, as the PDF that a person approves."""

from models import Stage
from worker.job import StageJob
from worker.results import Advance, Effect, Result
from worker.stages import proof_files


def run(job: StageJob) -> Result:
    """Fetch and keep the PDF under its SHA-256."""
    pdf = proof_files.fetch_proof(job)
    values = {"proof_sha256": proof_files.proof_digest(pdf)}
    return Advance(Stage.SUMMARIZE, values, Effect(proof_files.save_proofs, pdf))


# A read leaves nothing behind to find out about.
recover = run
