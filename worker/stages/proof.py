"""Fetch the proof: what the first person on the order will get, as the PDF that a person approves."""

from models import Stage
from worker.job import Work
from worker.results import Advance, Note, Result
from worker.stages import proof_files


def run(work: Work) -> Result:
    """Fetch and keep the PDF under its SHA-256."""
    pdf = proof_files.fetch(work)
    values = {"proof_sha256": proof_files.name_of(pdf)}
    return Advance(Stage.SUMMARIZE, values, Note(proof_files.keep, pdf))


# A read leaves nothing behind to find out about.
recover = run
