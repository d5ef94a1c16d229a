"""Quotes: asked for with the mailing's options, assessed, and kept line by line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, text

from lettrlabs import CallRecord, Line, VendorError
from lettrlabs import Quote as Told
from models import Difference
from worker import database
from worker.billing import acceptances, quote_arithmetic
from worker.billing.costs import Cost, cost_of
from worker.billing.quote_arithmetic import Doubt
from worker.billing.quote_options import DEFAULT, QuoteOptions, find_option_mismatch
from worker.context import SLOW_SECONDS
from worker.job import StageJob
from worker.results import Details, NeedsReview, Wait
from worker.stages.vendor import visibility
from worker.transitions import ClaimedMailing

# What a quote lacks that was made before all people on the order were visible.
_LACKING: Final = frozenset(
    {Difference.PIECES, Difference.PIECES_NOT_TOLD, Difference.NO_LINES, Difference.COSTS_NOTHING}
)
# Money goes as text: a JSON number would pass through a float on some ways.
_KEEP = text("""
    WITH given AS (
        SELECT *
          FROM unnest(CAST(:mailing_id AS bigint[]), CAST(:postage AS text[]), CAST(:speed AS text[]),
                      CAST(:charges AS numeric[]), CAST(:tax AS numeric[]), CAST(:credits AS numeric[]),
                      CAST(:total AS numeric[]), CAST(:from_credits AS numeric[]), CAST(:accepted AS text[]),
                      CAST(:delivery_min AS timestamptz[]), CAST(:delivery_max AS timestamptz[]),
                      CAST(:options AS text[]), CAST(:taken_at AS timestamptz[]), CAST(:lines AS text[]))
            AS given (mailing_id, postage, speed, charges, tax, credits, total, from_credits, accepted, delivery_min,
                      delivery_max, options, taken_at, lines)
    ), kept AS (
        INSERT INTO quote (mailing_id, postage, speed, charges, tax, credits, total, from_credits, accepted,
                           delivery_min, delivery_max, options, taken_at)
        SELECT mailing_id, postage, speed, charges, tax, credits, total, from_credits, CAST(accepted AS jsonb),
               delivery_min, delivery_max, CAST(options AS jsonb), taken_at
          FROM given
        RETURNING id, mailing_id
    )
    INSERT INTO quote_line (quote_id, position, parent, is_credit, name, quantity, rate, tax, total, kind, sub_kind)
    SELECT kept.id, line.*
      FROM kept
      JOIN given ON given.mailing_id = kept.mailing_id
     CROSS JOIN LATERAL jsonb_to_recordset(CAST(given.lines AS jsonb))
           AS line (position int, parent int, is_credit boolean, name text, quantity int, rate numeric, tax numeric,
                    total numeric, kind text, sub_kind text)
""")


@dataclass(frozen=True, slots=True)
class Priced:
    """A quote that may be paid, what it costs, and by which decisions its differences passed."""

    told: Told
    cost: Cost
    accepted: Sequence[Mapping[str, object]] = ()

    @property
    def values(self) -> Details:
        """What the mailing's row keeps of it."""
        return {"quoted": self.cost.total, "quoted_from_credits": self.cost.from_credits}


@dataclass(frozen=True, slots=True)
class FetchedQuote:
    """A quote as it was given for a mailing, and the options that it was asked for with."""

    mailing: ClaimedMailing
    priced: Priced
    at: datetime


def fetch_quote(job: StageJob) -> Told:
    """Return what checkout would cost now. Raises Unavailable, Refused."""
    claimed = job.mailing
    return job.vendor.summary(
        claimed.order, postage=claimed.postage, production=claimed.speed, hold_until=claimed.vendor_hold
    )


@contextmanager
def asked_meanwhile(job: StageJob, last_call: CallRecord | None) -> Iterator[None]:
    """Ask for the quote while the order is read back, where a slow vendor makes the wait worth a second connection.

    Only of an order that this claim made: nobody else can write to it, so what it costs then it costs a moment later.
    What goes wrong is not told here: who needs the quote asks again.
    """
    is_slow = last_call is not None and last_call.elapsed_ms >= 1000 * SLOW_SECONDS
    if not is_slow or not job.snapshot.created_by_this_claim or job.mailing.deliver_by is not None:
        yield
        return
    now, asked = job.now(), job.context.aside.submit(fetch_quote, job)
    try:
        yield
    finally:
        with suppress(VendorError):
            job.snapshot.quote(asked.result(), now)


def assess(job: StageJob, told: Told) -> Priced | NeedsReview:
    """Return what an order costs by a quote, or why nothing may be paid on it.

    What an approver accepted passes. May ask for the default's quote as well. Raises Unavailable, Refused.
    """
    doubts = quote_arithmetic.doubts(told, job.mailing.accepted)
    decisions = _decisions(job, told) if doubts else {}
    left = [doubt for doubt in doubts if doubt.kind not in decisions]
    if left:
        return _doubtful(told, left)
    other = _other_options(job, told)
    if other is not None:
        doubts = [*doubts, Doubt(Difference.OTHER_OPTIONS, other)]
        decisions = _decisions(job, told)
        if Difference.OTHER_OPTIONS not in decisions:
            return _doubtful(told, doubts[-1:])
    cost = cost_of(told, tax_in_charges=Difference.TAX_IN_CHARGES in decisions)
    return Priced(told, cost, acceptances.notes([doubt.kind for doubt in doubts], decisions))


def once_evident(job: StageJob, doubt: NeedsReview) -> Wait | NeedsReview:
    """Return a doubt, or a wait while what the quote lacks may be people who are not visible yet."""
    if _LACKING.isdisjoint(doubt.facts["differences"]):
        return doubt
    return visibility.wait(job, doubt.why) or doubt


def _decisions(job: StageJob, told: Told) -> dict[Difference, int]:
    with job.engine.connect() as connection:
        return acceptances.accepted(connection, job.mailing.id, digest_of(told))


def _doubtful(told: Told, doubts: Sequence[Doubt]) -> NeedsReview:
    kinds = [doubt.kind for doubt in doubts]
    code, what = next((code, what) for some, code, what in _CODES if some & {*kinds} or not some)
    why = f"{what}: {'; '.join(dict.fromkeys(doubt.words for doubt in doubts))}"
    facts = {"differences": [kind.value for kind in dict.fromkeys(kinds)], "digest": digest_of(told).hex()}
    return NeedsReview(code, why, {**_seen(told), **facts})


# The first that applies names what is wrong.
_CODES: Final = (
    (
        frozenset({Difference.NO_LINES, Difference.COSTS_NOTHING, Difference.MISSING_AMOUNT}),
        "quote_of_nothing",
        "the quote does not say what the order costs",
    ),
    (
        frozenset({Difference.OTHER_OPTIONS}),
        "quote_of_other_options",
        "the quote is not of the options that were asked for",
    ),
    (
        frozenset(Difference) - {Difference.PIECES, Difference.PIECES_NOT_TOLD},
        "quote_does_not_add_up",
        "the quote does not add up",
    ),
    (frozenset[Difference](), "quote_of_other_pieces", "the quote is not for the people on the order"),
)
QUOTE_DOUBTS: Final = frozenset(code for _, code, _ in _CODES)


def digest_of(told: Told) -> bytes:
    """Return 32 bytes that differ when an amount or a number of pieces in the quote differs."""
    totals = [told.total_charges, told.total_tax, told.total_credits, told.balance]
    lines = [[row[name] for name in ("name", "quantity", "tax", "total")] for row in _rows(told)]
    return sha256(json.dumps([[_text(amount) for amount in totals], lines]).encode()).digest()


def _other_options(job: StageJob, told: Told) -> str | None:
    claimed, hold = job.mailing, job.mailing.vendor_hold
    if hold is not None and told.delivery_min is not None and told.delivery_min.date() < hold:
        return f"it is delivered from {told.delivery_min.date()} on, although held until {hold}"

    def default() -> Told:
        return job.vendor.summary(
            claimed.order, postage=DEFAULT.postage, production=DEFAULT.speed, hold_until=hold
        )

    return find_option_mismatch(QuoteOptions(claimed.postage, claimed.speed), told, default)


def _seen(told: Told) -> Details:
    totals = {"charges": told.total_charges, "tax": told.total_tax, "credits": told.total_credits}
    return {name: _text(amount) for name, amount in (totals | {"balance": told.balance}).items()}


def save_quotes(connection: Connection, taken: Sequence[FetchedQuote]) -> None:
    """Store quotes whole, one for each mailing: totals, prices of the other options, every line with its parts."""
    rows = [_row(one) for one in taken]
    columns = {name: database.texts(_text(row[name]) for row in rows) for name in rows[0]}
    connection.execute(_KEEP, columns)


def _row(taken: FetchedQuote) -> dict[str, object]:
    claimed, told, cost = taken.mailing, taken.priced.told, taken.priced.cost
    return {
        "mailing_id": claimed.id,
        "postage": claimed.postage,
        "speed": claimed.speed,
        "charges": told.total_charges,
        "tax": told.total_tax,
        "credits": told.total_credits,
        "total": cost.total,
        "from_credits": cost.from_credits,
        "accepted": json.dumps(list(taken.priced.accepted)),
        "delivery_min": told.delivery_min,
        "delivery_max": told.delivery_max,
        "options": json.dumps(_options(told)),
        "taken_at": taken.at,
        "lines": json.dumps(list(_rows(told))),
    }


def _options(told: Told) -> dict[str, dict[str, str]]:
    return {
        "speed": {name: str(price) for name, price in told.production_prices.items()},
        "postage": {name: str(price) for name, price in told.postage_prices.items()},
        "done": {name: day.isoformat() for name, day in told.production_dates.items() if day is not None},
    }


def _rows(told: Told) -> Iterator[dict[str, object]]:
    position = 0
    waiting: list[tuple[Line, int | None, bool]] = [(line, None, True) for line in reversed(told.credits)]
    waiting += [(line, None, False) for line in reversed(told.lines)]
    while waiting:
        line, parent, is_credit = waiting.pop()
        yield {
            "position": position,
            "parent": parent,
            "is_credit": is_credit,
            "name": line.name or "",
            "quantity": line.quantity,
            "rate": _text(line.rate),
            "tax": _text(line.tax),
            "total": _text(line.total),
            "kind": line.transaction_type,
            "sub_kind": line.transaction_sub_type,
        }
        waiting += [(part, position, is_credit) for part in reversed(line.sub_items)]
        position += 1


def _text(value: object) -> str | None:
    return None if value is None else str(value)
