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


def needs_approval(claimed: ClaimedMailing, total: Decimal) -> bool:
    """Return whether a person must agree to this total and nobody has."""
    if claimed.approved_at is not None:
        return False
    if claimed.approval is Approval.OVER:
        return exceeds(total, claimed.approval_over or Decimal(0))
    return claimed.approval is Approval.REQUIRED


def check(job: StageJob) -> Result | None:
    """Ask a person if what they agreed to is not what would be paid for now, or if nobody has agreed yet.

    Keeps a new quote where the price moved and nobody need be asked. Raises Unavailable, Refused, ClaimLost.
    """
    was = _agreed(job)
    pdf = None if was is None else _other_proof(job, was.proof_sha256)
    priced = quote_request.assess(job, quote_request.fetch_quote(job))
    if isinstance(priced, NeedsReview):
        return quote_request.once_evident(job, priced)
    if was is None:
        return _first_asked(job, priced)
    changes = _changes(job, was, pdf, priced)
    if changes:
        return _asked_again(job, priced, pdf, f"{' and '.join(changes)}: approve it again")
    _keep_if_new(job, priced)
    return None


def _agreed(job: StageJob) -> ApprovalTerms | None:
    if job.mailing.approved_at is None:
        return None
    with job.engine.connect() as connection:
        return approved_terms(connection, job.mailing.id)


def _first_asked(job: StageJob, priced: Priced) -> Result | None:
    if job.mailing.approved_at is not None:
        why = "its approval does not say what was approved: approve it again"
        return _asked_again(job, priced, None, why)
    if needs_approval(job.mailing, priced.cost.total):
        return _asked_again(job, priced, None, _WAITS)
    _keep_if_new(job, priced)
    return None


def _changes(job: StageJob, was: ApprovalTerms, pdf: bytes | None, priced: Priced) -> list[str]:
    with job.engine.connect() as connection:
        there = current_terms(connection, job.mailing.id)
    changes = [] if there is None else [f"{what} changed" for what in there.changes_from(was)]
    if pdf is not None:
        changes.append("the proof changed")
    now = priced.cost.total
    if was.total is None or _moved_too_far(was.total, now, job.settings.price_tolerance):
        changes.append(f"the price moved from {money(was.total)} to {money(now)}")
    return changes


def _moved_too_far(agreed_to: Decimal, now: Decimal, percent: Decimal) -> bool:
    """Up or down: a price that fell may be the price of something else."""
    return exceeds(abs(now - agreed_to), agreed_to * percent / 100)


def _other_proof(job: StageJob, agreed_to: bytes | None) -> bytes | None:
    """Return the proof if it is another one than was agreed to, None if it is the same.

    It is fetched once more where it differs: a vendor that draws two different files of one order within a moment
    (with the time inside) cannot be compared with, and then the other three must do.
    """
    pdf = proof_files.fetch_proof(job)
    if proof_files.proof_digest(pdf) == agreed_to or proof_files.fetch_proof(job) != pdf:
        return None
    return pdf


def _asked_again(job: StageJob, priced: Priced, pdf: bytes | None, why: str) -> Result:
    values: Details = {**priced.values, "approved_at": None, "approved_by": None}
    if pdf is not None:
        values = {**values, "proof_sha256": proof_files.proof_digest(pdf)}

    def record(connection: Connection) -> None:
        quote_request.save_quotes(connection, [FetchedQuote(job.mailing, priced, job.now())])
        if pdf is not None:
            proof_files.save_proofs(connection, [pdf])

    return NeedsApproval(values, record, why)


def _keep_if_new(job: StageJob, priced: Priced) -> None:
    if priced.cost.total == job.mailing.quoted:
        return
    job.checkpoint(
        priced.values, Effect(quote_request.save_quotes, FetchedQuote(job.mailing, priced, job.now()))
    )
