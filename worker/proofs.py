"""Proofs: what the first person on an order will get, as a PDF, kept once under its SHA-256."""

from hashlib import sha256

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from models import Outcome, Proof, Recipient
from worker.work import Work


def fetch(work: Work) -> bytes:
    """Return the proof as it is now. Raises Unavailable, Refused."""
    return work.vendor.proof(work.held.order, _first_on_the_order(work))


def name_of(pdf: bytes) -> bytes:
    """Return what a proof is kept under."""
    return sha256(pdf).digest()


def keep(connection: Connection, pdf: bytes) -> None:
    """Store a proof, once for each distinct file; one that was forgotten is known again."""
    values = {"sha256": name_of(pdf), "pdf": pdf}
    statement = insert(Proof).values(values)
    again = {"pdf": statement.excluded.pdf, "first_seen": func.now()}
    connection.execute(
        statement.on_conflict_do_update(index_elements=[Proof.sha256], set_=again, where=Proof.pdf.is_(None))
    )


def _first_on_the_order(work: Work) -> int:
    if work.saw.first_recipient is not None:
        return work.saw.first_recipient
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
