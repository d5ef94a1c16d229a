"""The charges that the vendor shows for an order."""

from worker.billing import reconciliation
from worker.job import StageJob


def charges_of(job: StageJob) -> int:
    """Return how many transactions the vendor shows for the order; raises Unavailable, Refused."""
    told = job.vendor.transactions([job.mailing.order])
    return len(reconciliation.books_of(job.mailing.id, job.mailing.order, told).entries)
