"""Fetch the proof: what the first person on the order will get, as the PDF that a person approves."""

from hashlib import sha256

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from models import Outcome, Proof, Recipient, Stage
from worker.results import Advance, Result
from worker.work import Work


def run(work: Work) -> Result:
    """Fetch and keep the PDF under its SHA-256."""
    pdf = work.vendor.proof(work.held.order, _first_on_the_order(work))
    digest = sha256(pdf).digest()

    def record(connection: Connection) -> None:
        connection.execute(insert(Proof).values(sha256=digest, pdf=pdf).on_conflict_do_nothing())

    return Advance(Stage.SUMMARIZE, {"proof_sha256": digest}, record)


# A read leaves nothing behind to find out about.
recover = run


def _first_on_the_order(work: Work) -> int:
    with work.engine.connect() as connection:
        found = connection.scalars(
            select(Recipient.vendor_id)
            .where(Recipient.mailing_id == work.held.id, Recipient.outcome == Outcome.ACCEPTED)
            .order_by(Recipient.position)
            .limit(1)
        ).one()
    if found is None:
        raise LookupError(f"mailing {work.held.id} has an accepted recipient without the vendor's id")
    return found
