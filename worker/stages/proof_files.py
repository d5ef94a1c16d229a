"""Proofs: what the first person on an order will get, as a PDF, kept once under its SHA-256."""

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import Connection, select, text

from models import Outcome, Recipient
from worker.job import StageJob

_KEEP = text("""
    INSERT INTO proof (sha256, pdf)
    SELECT *
      FROM unnest(CAST(:names AS bytea[]), CAST(:pdfs AS bytea[]))
    ON CONFLICT (sha256)
    DO UPDATE SET pdf = excluded.pdf, first_seen = now()
            WHERE proof.pdf IS NULL
""")


def fetch_proof(job: StageJob) -> bytes:
    """Return the proof as it is now. Raises Unavailable, Refused."""
    return job.vendor.proof(job.mailing.order, _first_on_the_order(job))


def proof_digest(pdf: bytes) -> bytes:
    """Return what a proof is kept under."""
    return sha256(pdf).digest()


def save_proofs(connection: Connection, pdfs: Sequence[bytes]) -> None:
    """Store proofs, once for each distinct file; one that was forgotten is known again."""
    named = {proof_digest(pdf): pdf for pdf in pdfs}
    names = sorted(named)
    connection.execute(_KEEP, {"names": names, "pdfs": [named[name] for name in names]})


def _first_on_the_order(job: StageJob) -> int:
    if job.snapshot.first_recipient is not None:
        return job.snapshot.first_recipient
    with job.engine.connect() as connection:
        found = connection.scalars(
            select(Recipient.vendor_id)
            .where(Recipient.mailing_id == job.mailing.id, Recipient.outcome == Outcome.ACCEPTED)
            .order_by(Recipient.position)
            .limit(1)
        ).one()
    if found is None:
        raise LookupError(f"mailing {job.mailing.id} has an accepted recipient without the vendor's id")
    return found
