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
from worker.job import Saw, Work
from worker.page_recipient import Page
from worker.recipients import frequency_caps
from worker.recipients.frequency_caps import Rules, Spared
from worker.recipients.policy import Cap
from worker.results import Advance, AskPerson, Result
from worker.stages import recipient_pages
from worker.stages.empty_mailing import nobody_left
from worker.stages.vendor import visibility
from worker.stages.vendor.failures import not_now, refused, unanswered

_DELETE_AT_ONCE: Final = 500
_SOON: Final = 2.0

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


def sift(work: Work, page: Page) -> Page:
    """Return those of a page who get a piece; the others are marked, in one commit with the places of the rest.

    Where nobody is suppressed and no rule has to be kept, there is nothing to decide and nothing is committed: the
    places are written down with what becomes of the page. Others who count meanwhile count as if they had come first.
    """
    if not (work.held.one_per_household or _cap(work) or any(one.suppressed for one in page)):
        return page
    spared: dict[int, Spared] = {}

    def record(connection: Connection) -> None:
        among = {"first": page[0].position, "last": page[-1].position}
        spared.update(_suppressed(connection, work, _AMONG, among))
        rest = [one for one in page if one.position not in spared]
        spared.update(frequency_caps.take_places(connection, _rules(work), rest))
        _mark(connection, work, spared)

    work.checkpoint({}, record)
    return [one for one in page if one.position not in spared]


def objection(work: Work) -> Result | None:
    """Right before checkout: take whoever is suppressed or capped by now off the draft, and have it priced anew."""
    with work.desk.reader.connect() as connection:
        if not unsettled(connection, [work]):
            return None
    _note_leaving(work)
    leaving, staying = _leaving(work), _staying(work)
    if not leaving:
        return None
    return _take_off(work, leaving, staying) if staying else nobody_left(work)


def underway(work: Work) -> bool:
    """Tell whether people were being taken off: then no checkout was begun, for that comes only afterwards."""
    return bool(_leaving(work))


def unsettled(connection: Connection, works: Sequence[Work]) -> set[int]:
    """Return those mailings on whose order somebody is suppressed by now, or whose places are of another day."""
    bounds = {
        "mailing_ids": [work.held.id for work in works],
        "days": [day_of(work) for work in works],
        "spared": [one.value for one in SPARED],
    }
    return set(connection.scalars(_UNSETTLED, bounds))


def _note_leaving(work: Work) -> None:
    def record(connection: Connection) -> None:
        spared = _suppressed(connection, work, _ON_THE_ORDER)
        rest = [one for one in _accepted(connection, work) if one.position not in spared]
        # Who shares a house was settled when they were handed over; only the day may have changed since.
        spared.update(frequency_caps.take_places(connection, _rules(work, households=False), rest))
        _mark(connection, work, spared)

    work.checkpoint({}, record)


def _take_off(work: Work, leaving: Mapping[int, int], staying: set[int]) -> Result:
    there = _there(work)
    doomed = sorted(there & set(leaving.values()))
    for start in range(0, len(doomed), _DELETE_AT_ONCE):
        work.hold_on()
        answer = work.vendor.delete_recipients(work.held.order, doomed[start : start + _DELETE_AT_ONCE])
        match answer:
            case NotSent():
                return not_now(work, answer)
            case Rejected():
                return refused(work, answer)
            case Unknown(why):
                pause = _SOON * 2 ** min(work.held.waits, 7)
                return unanswered(
                    work, pause, f"asked to take people off the draft, the answer is not known: {why}"
                )
    if doomed:
        there = _there(work)
    return _priced_anew(work, leaving, staying) if there == staying else _differs(work, there, staying)


def _priced_anew(work: Work, leaving: Mapping[int, int], staying: set[int]) -> Result:
    """Go back to the proof, which may show who is gone; what was agreed to is asked again, for it has changed."""
    values = {
        "accepted": len(staying),
        "rejected": work.held.size - len(staying),
        "recipients_digest": recipient_pages.digest_of(staying),
    }
    # Who was seen first on the order may be gone.
    work.saw = Saw()

    def record(connection: Connection) -> None:
        connection.execute(
            update(Recipient)
            .where(Recipient.mailing_id == work.held.id, Recipient.position.in_(list(leaving)))
            .values(vendor_id=None)
        )

    return Advance(Stage.PROOF, values, record)


def _differs(work: Work, there: set[int], staying: set[int]) -> Result:
    facts = {"toBeMailed": len(staying), "onTheOrder": len(there)}
    why = f"people were taken off the order, and it holds {len(there)} recipients instead of {len(staying)}"
    return visibility.wait(work, why) or AskPerson("recipients_changed", why, facts)


def _there(work: Work) -> set[int]:
    return {person.id for person in work.vendor.iter_recipients(work.held.order, expected=work.held.accepted)}


def _suppressed(
    connection: Connection, work: Work, statement: TextClause, bounds: Mapping[str, int] | None = None
) -> dict[int, Spared]:
    found = connection.execute(statement, {"mailing_id": work.held.id, **(bounds or {})})
    return {
        row.position: Spared(Outcome.SUPPRESSED, f"on the list {row.list}, by {row.mark}") for row in found
    }


def _leaving(work: Work) -> dict[int, int]:
    """Return who is spared but still has to be taken off the order: the vendor's number by position."""
    with work.engine.connect() as connection:
        found = connection.execute(
            select(Recipient.position, Recipient.vendor_id).where(
                Recipient.mailing_id == work.held.id,
                Recipient.outcome.in_(SPARED),
                Recipient.vendor_id.is_not(None),
            )
        )
        return {row.position: row.vendor_id for row in found}


def _staying(work: Work) -> set[int]:
    with work.engine.connect() as connection:
        return {one.vendor_id for one in _accepted(connection, work)}


def _accepted(connection: Connection, work: Work) -> Sequence[Any]:
    return connection.execute(
        select(Recipient.position, Recipient.vendor_id, Recipient.person_digest, Recipient.address_digest)
        .where(Recipient.mailing_id == work.held.id, Recipient.outcome == Outcome.ACCEPTED)
        .order_by(Recipient.position)
    ).all()


def _rules(work: Work, *, households: bool = True) -> Rules:
    return Rules(
        mailing_id=work.held.id,
        campaign_id=work.held.campaign_id,
        cap=_cap(work),
        one_per_household=households and work.held.one_per_household,
        day=day_of(work),
    )


def _cap(work: Work) -> Cap | None:
    held = work.held
    if held.cap_pieces and held.cap_days and held.cap_per:
        return Cap(held.cap_pieces, held.cap_days, held.cap_per)
    return work.settings.cap


def day_of(work: Work) -> date:
    """Return the day, in UTC, on which the pieces count as mailed: not before they are paid for, or let go."""
    held, now = work.held, work.now()
    paid = max(now, held.send_at or now).astimezone(UTC).date()
    return max(paid, held.vendor_hold or paid)


def _mark(connection: Connection, work: Work, spared: Mapping[int, Spared]) -> None:
    if spared:
        connection.execute(
            _MARK,
            {
                "mailing_id": work.held.id,
                "positions": list(spared),
                "outcomes": [why.outcome.value for why in spared.values()],
                "reasons": [why.reason for why in spared.values()],
            },
        )
