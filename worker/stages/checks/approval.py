"""What was agreed to, held against what is there right before checkout: people, proof, options, price.

Between this look and the checkout the vendor may still change a price: no call of its API binds one. What it then
takes is matched against the quote after settlement (``worker/billing/reconciliation.py``).
"""

from decimal import Decimal

from sqlalchemy import Connection

from models import Approval
from worker.billing.amounts import exceeds, money
from worker.billing.approval_terms import Offer, agreed, offered
from worker.job import Work
from worker.results import AskApproval, AskPerson, Facts, Note, Result
from worker.stages import proof_files, quote_request
from worker.stages.quote_request import Priced, Taken
from worker.transitions import Held

_WAITS = "waits for approval"


def is_missing(held: Held, total: Decimal) -> bool:
    """Return whether a person must agree to this total and nobody has."""
    if held.approved_at is not None:
        return False
    if held.approval is Approval.OVER:
        return exceeds(total, held.approval_over or Decimal(0))
    return held.approval is Approval.REQUIRED


def objection(work: Work) -> Result | None:
    """Ask a person if what they agreed to is not what would be paid for now, or if nobody has agreed yet.

    Keeps a new quote where the price moved and nobody need be asked. Raises Unavailable, Refused, ClaimLost.
    """
    was = _agreed(work)
    pdf = None if was is None else _other_proof(work, was.proof_sha256)
    priced = quote_request.assess(work, quote_request.ask(work))
    if isinstance(priced, AskPerson):
        return quote_request.once_evident(work, priced)
    if was is None:
        return _first_asked(work, priced)
    changes = _changes(work, was, pdf, priced)
    if changes:
        return _asked_again(work, priced, pdf, f"{' and '.join(changes)}: approve it again")
    _keep_if_new(work, priced)
    return None


def _agreed(work: Work) -> Offer | None:
    if work.held.approved_at is None:
        return None
    with work.engine.connect() as connection:
        return agreed(connection, work.held.id)


def _first_asked(work: Work, priced: Priced) -> Result | None:
    if work.held.approved_at is not None:
        why = "its approval does not say what was approved: approve it again"
        return _asked_again(work, priced, None, why)
    if is_missing(work.held, priced.cost.total):
        return _asked_again(work, priced, None, _WAITS)
    _keep_if_new(work, priced)
    return None


def _changes(work: Work, was: Offer, pdf: bytes | None, priced: Priced) -> list[str]:
    with work.engine.connect() as connection:
        there = offered(connection, work.held.id)
    changes = [] if there is None else [f"{what} changed" for what in there.changes_from(was)]
    if pdf is not None:
        changes.append("the proof changed")
    now = priced.cost.total
    if was.total is None or _moved_too_far(was.total, now, work.settings.price_tolerance):
        changes.append(f"the price moved from {money(was.total)} to {money(now)}")
    return changes


def _moved_too_far(agreed_to: Decimal, now: Decimal, percent: Decimal) -> bool:
    """Up or down: a price that fell may be the price of something else."""
    return exceeds(abs(now - agreed_to), agreed_to * percent / 100)


def _other_proof(work: Work, agreed_to: bytes | None) -> bytes | None:
    """Return the proof if it is another one than was agreed to, None if it is the same.

    It is fetched once more where it differs: a vendor that draws two different files of one order within a moment
    (with the time inside) cannot be compared with, and then the other three must do.
    """
    pdf = proof_files.fetch(work)
    if proof_files.name_of(pdf) == agreed_to or proof_files.fetch(work) != pdf:
        return None
    return pdf


def _asked_again(work: Work, priced: Priced, pdf: bytes | None, why: str) -> Result:
    values: Facts = {**priced.values, "approved_at": None, "approved_by": None}
    if pdf is not None:
        values = {**values, "proof_sha256": proof_files.name_of(pdf)}

    def record(connection: Connection) -> None:
        quote_request.keep(connection, [Taken(work.held, priced, work.now())])
        if pdf is not None:
            proof_files.keep(connection, [pdf])

    return AskApproval(values, record, why)


def _keep_if_new(work: Work, priced: Priced) -> None:
    if priced.cost.total == work.held.quoted:
        return
    work.checkpoint(priced.values, Note(quote_request.keep, Taken(work.held, priced, work.now())))
