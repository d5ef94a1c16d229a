"""Fetch the proof: what the first person on the order will get, as the PDF that a person approves."""

from models import Stage
from worker import proofs
from worker.results import Advance, Note, Result
from worker.work import Work


def run(work: Work) -> Result:
    """Fetch and keep the PDF under its SHA-256."""
    pdf = proofs.fetch(work)
    values = {"proof_sha256": proofs.name_of(pdf)}
    return Advance(Stage.SUMMARIZE, values, Note(proofs.keep, pdf))


# A read leaves nothing behind to find out about.
recover = run
