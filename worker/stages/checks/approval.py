"""What was agreed to, held against what is there right before checkout: people, proof, options, price.

Between this look and the checkout the vendor may still change a price: no call of its API binds one. What it then
takes is matched against the quote after settlement (``worker/billing/reconciliation.py``).
"""

from decimal import Decimal

from sqlalchemy import Connection

from models import Approval
from worker.billing.amounts import exceeds, money
from worker.billing.approval_terms import ApprovalTerms, approved_terms, current_terms
from worker.job import StageJob
from worker.results import Details, Effect, NeedsApproval, NeedsReview, Result
from worker.stages import proof_files, quote_request
from worker.stages.quote_request import FetchedQuote, Priced
from worker.transitions import ClaimedMailing

_WAITS = "waits for approval"


def needs_approval(held: ClaimedMailing, total: Decimal) -> bool:
    """Return whether a person must agree to this total and nobody has."""
    if held.approved_at is not None:
        return False
    if held.approval is Approval.OVER:
        return exceeds(total, held.approval_over or Decimal(0))
    return held.approval is Approval.REQUIRED


def check(work: StageJob) -> Result | None:
    """Ask a person if what they agreed to is not what would be paid for now, or if nobody has agreed yet.

    Keeps a new quote where the price moved and nobody need be asked. Raises Unavailable, Refused, ClaimLost.
    """
    was = _agreed(work)
    pdf = None if was is None else _other_proof(work, was.proof_sha256)
    priced = quote_request.assess(work, quote_request.fetch_quote(work))
    if isinstance(priced, NeedsReview):
        return quote_request.once_evident(work, priced)
    if was is None:
        return _first_asked(work, priced)
    changes = _changes(work, was, pdf, priced)
    if changes:
        return _asked_again(work, priced, pdf, f"{' and '.join(changes)}: approve it again")
    _keep_if_new(work, priced)
    return None


def _agreed(work: StageJob) -> ApprovalTerms | None:
    if work.held.approved_at is None:
        return None
    with work.engine.connect() as connection:
        return approved_terms(connection, work.held.id)


def _first_asked(work: StageJob, priced: Priced) -> Result | None:
    if work.held.approved_at is not None:
        why = "its approval does not say what was approved: approve it again"
        return _asked_again(work, priced, None, why)
    if needs_approval(work.held, priced.cost.total):
        return _asked_again(work, priced, None, _WAITS)
    _keep_if_new(work, priced)
    return None


def _changes(work: StageJob, was: ApprovalTerms, pdf: bytes | None, priced: Priced) -> list[str]:
    with work.engine.connect() as connection:
        there = current_terms(connection, work.held.id)
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


def _other_proof(work: StageJob, agreed_to: bytes | None) -> bytes | None:
    """Return the proof if it is another one than was agreed to, None if it is the same.

    It is fetched once more where it differs: a vendor that draws two different files of one order within a moment
    (with the time inside) cannot be compared with, and then the other three must do.
    """
    pdf = proof_files.fetch_proof(work)
    if proof_files.proof_digest(pdf) == agreed_to or proof_files.fetch_proof(work) != pdf:
        return None
    return pdf


def _asked_again(work: StageJob, priced: Priced, pdf: bytes | None, why: str) -> Result:
    values: Details = {**priced.values, "approved_at": None, "approved_by": None}
    if pdf is not None:
        values = {**values, "proof_sha256": proof_files.proof_digest(pdf)}

    def record(connection: Connection) -> None:
        quote_request.save_quotes(connection, [FetchedQuote(work.held, priced, work.now())])
        if pdf is not None:
            proof_files.save_proofs(connection, [pdf])

    return NeedsApproval(values, record, why)


def _keep_if_new(work: StageJob, priced: Priced) -> None:
    if priced.cost.total == work.held.quoted:
        return
    work.checkpoint(
        priced.values, Effect(quote_request.save_quotes, FetchedQuote(work.held, priced, work.now()))
    )
