"""Sparing people: who is suppressed or had enough is not handed over, or is taken off the draft before checkout.

What is to happen is committed first: somebody spared who has the vendor's number is still on the order, so a worker
that dies while taking people off leaves its intention behind, and whoever comes next looks who is left and goes on.
Nobody is taken off by a write that may be repeated blind: each try reads the order first.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date
from typing import Any, Final

from sqlalchemy import Connection, TextClause, select, text, update

from lettrlabs import NotSent, Rejected, Unknown
from models import SPARED, Outcome, Recipient, Stage
from worker.job import OrderSnapshot, StageJob
from worker.page_recipient import Page
from worker.recipients import frequency_caps
from worker.recipients.digest import recipients_digest
from worker.recipients.frequency_caps import CapRules, Exclusion
from worker.recipients.policy import FrequencyCap
from worker.results import Advance, NeedsReview, Result
from worker.stages import recipient_pages
from worker.stages.empty_mailing import end_empty_mailing
from worker.stages.vendor import visibility
from worker.stages.vendor.failures import handle_rejection, unanswered, wait_for_vendor

MAX_DELETED_RECIPIENTS: Final = 500
DELETE_RETRY_SECONDS: Final = 2.0

_SUPPRESSED: Final = f"""
    SELECT r.position, s.list, s.mark
      FROM recipient AS r
      JOIN mailing ON mailing.id = r.mailing_id
     CROSS JOIN LATERAL ({recipient_pages.SUPPRESSION}) AS s
     WHERE r.mailing_id = :mailing_id
"""  # noqa: S608 - built from a constant
_AMONG: Final = text(f"{_SUPPRESSED} AND r.position BETWEEN :first AND :last")
_ON_THE_ORDER: Final = text(f"{_SUPPRESSED} AND r.outcome = 'accepted'")
_UNSETTLED: Final = text(f"""
    SELECT mailing.id
      FROM unnest(CAST(:mailing_ids AS bigint[]), CAST(:days AS date[])) AS looked (mailing_id, day)
      JOIN mailing ON mailing.id = looked.mailing_id
     WHERE EXISTS (SELECT
                     FROM recipient AS r
                    CROSS JOIN LATERAL ({recipient_pages.SUPPRESSION}) AS s
                    WHERE r.mailing_id = mailing.id
                      AND r.outcome = 'accepted')
        OR EXISTS (SELECT
                     FROM recipient
                    WHERE mailing_id = mailing.id
                      AND (outcome = 'accepted' AND counted_on IS DISTINCT FROM looked.day
                           OR outcome = ANY (:spared) AND vendor_id IS NOT NULL))
""")  # noqa: S608 - built from constants

_MARK: Final = text("""
    UPDATE recipient AS r
       SET outcome = given.outcome, reason = given.reason, counted_on = NULL
      FROM unnest(CAST(:positions AS integer[]), CAST(:outcomes AS text[]), CAST(:reasons AS text[]))
           AS given (position, outcome, reason)
     WHERE r.mailing_id = :mailing_id
       AND r.position = given.position
""")


def exclude_recipients(job: StageJob, page: Page) -> Page:
    """Return those of a page who get a piece; the others are marked, in one commit with the places of the rest.

    Where nobody is suppressed and no rule has to be kept, there is nothing to decide and nothing is committed: the
    places are written down with what becomes of the page. Others who count meanwhile count as if they had come first.
    """
    if not (job.mailing.one_per_household or _cap(job) or any(one.suppressed for one in page)):
        return page
    spared: dict[int, Exclusion] = {}

    def record(connection: Connection) -> None:
        among = {"first": page[0].position, "last": page[-1].position}
        spared.update(_suppressed(connection, job, _AMONG, among))
        rest = [one for one in page if one.position not in spared]
        spared.update(frequency_caps.reserve_slots(connection, _rules(job), rest))
        _mark(connection, job, spared)

    job.checkpoint({}, record)
    return [one for one in page if one.position not in spared]


def check(job: StageJob) -> Result | None:
    """Right before checkout: take whoever is suppressed or capped by now off the draft, and have it priced anew."""
    with job.context.reader.connect() as connection:
        if not needs_screening(connection, [job]):
            return None
    _note_leaving(job)
    leaving, staying = _to_remove(job), _to_keep(job)
    if not leaving:
        return None
    return _take_off(job, leaving, staying) if staying else end_empty_mailing(job)


def removal_in_progress(job: StageJob) -> bool:
    """Tell whether people were being taken off: then no checkout was begun, for that comes only afterwards."""
    return bool(_to_remove(job))


def needs_screening(connection: Connection, works: Sequence[StageJob]) -> set[int]:
    """Return those mailings on whose order somebody is suppressed by now, or whose places are of another day."""
    bounds = {
        "mailing_ids": [job.mailing.id for job in works],
        "days": [mail_date(job) for job in works],
        "spared": [one.value for one in SPARED],
    }
    return set(connection.scalars(_UNSETTLED, bounds))


def _note_leaving(job: StageJob) -> None:
    def record(connection: Connection) -> None:
        spared = _suppressed(connection, job, _ON_THE_ORDER)
        rest = [one for one in _accepted(connection, job) if one.position not in spared]
        # Who shares a house was settled when they were handed over; only the day may have changed since.
        spared.update(frequency_caps.reserve_slots(connection, _rules(job, households=False), rest))
        _mark(connection, job, spared)

    job.checkpoint({}, record)


def _take_off(job: StageJob, leaving: Mapping[int, int], staying: set[int]) -> Result:
    there = _on_order(job)
    doomed = sorted(there & set(leaving.values()))
    for start in range(0, len(doomed), MAX_DELETED_RECIPIENTS):
        job.ensure_lease()
        answer = job.vendor.delete_recipients(
            job.mailing.order, doomed[start : start + MAX_DELETED_RECIPIENTS]
        )
        match answer:
            case NotSent():
                return wait_for_vendor(job, answer)
            case Rejected():
                return handle_rejection(job, answer)
            case Unknown(why):
                pause = DELETE_RETRY_SECONDS * 2 ** min(job.mailing.waits, 7)
                return unanswered(
                    job, pause, f"asked to take people off the draft, the answer is not known: {why}"
                )
    if doomed:
        there = _on_order(job)
    return _return_to_proof(job, leaving, staying) if there == staying else _differs(job, there, staying)


def _return_to_proof(job: StageJob, leaving: Mapping[int, int], staying: set[int]) -> Result:
    """Go back to the proof, which may show who is gone; what was agreed to is asked again, for it has changed."""
    values = {
        "accepted": len(staying),
        "rejected": job.mailing.size - len(staying),
        "recipients_digest": recipients_digest(staying),
    }
    # Who was seen first on the order may be gone.
    job.snapshot = OrderSnapshot()

    def record(connection: Connection) -> None:
        connection.execute(
            update(Recipient)
            .where(Recipient.mailing_id == job.mailing.id, Recipient.position.in_(list(leaving)))
            .values(vendor_id=None)
        )

    return Advance(Stage.PROOF, values, record)


def _differs(job: StageJob, there: set[int], staying: set[int]) -> Result:
    facts = {"toBeMailed": len(staying), "onTheOrder": len(there)}
    why = f"people were taken off the order, and it holds {len(there)} recipients instead of {len(staying)}"
    return visibility.wait(job, why) or NeedsReview("recipients_changed", why, facts)


def _on_order(job: StageJob) -> set[int]:
    return {
        person.id for person in job.vendor.iter_recipients(job.mailing.order, expected=job.mailing.accepted)
    }


def _suppressed(
    connection: Connection, job: StageJob, statement: TextClause, bounds: Mapping[str, int] | None = None
) -> dict[int, Exclusion]:
    found = connection.execute(statement, {"mailing_id": job.mailing.id, **(bounds or {})})
    return {
        row.position: Exclusion(Outcome.SUPPRESSED, f"on the list {row.list}, by {row.mark}") for row in found
    }


def _to_remove(job: StageJob) -> dict[int, int]:
    """Return who is spared but still has to be taken off the order: the vendor's number by position."""
    with job.engine.connect() as connection:
        found = connection.execute(
            select(Recipient.position, Recipient.vendor_id).where(
                Recipient.mailing_id == job.mailing.id,
                Recipient.outcome.in_(SPARED),
                Recipient.vendor_id.is_not(None),
            )
        )
        return {row.position: row.vendor_id for row in found}


def _to_keep(job: StageJob) -> set[int]:
    with job.engine.connect() as connection:
        return {one.vendor_id for one in _accepted(connection, job)}


def _accepted(connection: Connection, job: StageJob) -> Sequence[Any]:
    return connection.execute(
        select(Recipient.position, Recipient.vendor_id, Recipient.person_digest, Recipient.address_digest)
        .where(Recipient.mailing_id == job.mailing.id, Recipient.outcome == Outcome.ACCEPTED)
        .order_by(Recipient.position)
    ).all()


def _rules(job: StageJob, *, households: bool = True) -> CapRules:
    return CapRules(
        mailing_id=job.mailing.id,
        campaign_id=job.mailing.campaign_id,
        cap=_cap(job),
        one_per_household=households and job.mailing.one_per_household,
        day=mail_date(job),
    )


def _cap(job: StageJob) -> FrequencyCap | None:
    claimed = job.mailing
    if claimed.cap_pieces and claimed.cap_days and claimed.cap_per:
        return FrequencyCap(claimed.cap_pieces, claimed.cap_days, claimed.cap_per)
    return job.settings.cap


def mail_date(job: StageJob) -> date:
    """Return the day, in UTC, on which the pieces count as mailed: not before they are paid for, or let go."""
    claimed, now = job.mailing, job.now()
    paid = max(now, claimed.send_at or now).astimezone(UTC).date()
    return max(paid, claimed.vendor_hold or paid)


def _mark(connection: Connection, job: StageJob, spared: Mapping[int, Exclusion]) -> None:
    if spared:
        connection.execute(
            _MARK,
            {
                "mailing_id": job.mailing.id,
                "positions": list(spared),
                "outcomes": [why.outcome.value for why in spared.values()],
                "reasons": [why.reason for why in spared.values()],
            },
        )
