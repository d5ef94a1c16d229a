"""The grid of a mailing that must arrive by a date: asked for, chosen from, kept, and held to before checkout."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import product
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from lettrlabs import Postage, ProductionSpeed, Refused
from models import DeliveryOptionRow, Stage
from worker.billing.costs import cost_of
from worker.job import StageJob
from worker.results import Advance, Details, NeedsReview, Record, Result
from worker.scheduling.delivery_options import DeliveryOption, DeliveryOptions, price_valid_until
from worker.scheduling.schedule import ScheduleProblem
from worker.stages.checks.hold_date import payment_day

# A grid this fresh was quoted under the same conditions: asking for it again would say the same.
_FRESH: Final = timedelta(hours=1)
# Some designs may not come in every speed; what LettrLabs does not sell is no choice.
_NO_CHOICE: Final = frozenset({400, 422})


def choose_option(job: StageJob) -> Result | None:
    """Set the postage and speed that arrive in time and cost least, and keep the grid; or ask, if none is in time."""
    by = job.mailing.deliver_by
    if by is None:
        return None
    grid = _grid(job, by, _quote_all_options(job, job.mailing.vendor_hold))
    chosen = grid.choice()
    if chosen is None:
        return _none_in_time(job, grid)
    kept = price_valid_until(grid, chosen)
    values = {
        "postage": chosen.postage,
        "speed": chosen.speed,
        "price_until": kept and kept.until,
        "price_after": kept and kept.after,
    }
    job.checkpoint(values, _keeping(job, grid, chosen))
    return None


def check(job: StageJob) -> Result | None:
    """Right before checkout: if what was chosen would be late by now, choose again, or ask."""
    by = job.mailing.deliver_by
    if by is None:
        return None
    now = _cell(job, job.mailing.postage, job.mailing.speed, job.mailing.vendor_hold)
    grid = _grid(job, by, [now])
    if grid.meets(now):
        return None
    if _is_fresh(job):
        return _none_in_time(job, grid)
    return Advance(Stage.SUMMARIZE, {"approved_at": None, "approved_by": None})


def _grid(job: StageJob, by: date, cells: list[DeliveryOption]) -> DeliveryOptions:
    return DeliveryOptions(cells, job.now(), payment_day(job), by)


def _quote_all_options(job: StageJob, hold: date | None) -> list[DeliveryOption]:
    """Ask for every choice; raises what the vendor answers if it sells none of them."""
    cells, refusal = [], None
    for postage, speed in product(Postage, ProductionSpeed):
        try:
            cells.append(_cell(job, postage, speed, hold))
        except Refused as refused:
            if refused.status not in _NO_CHOICE:
                raise
            refusal = refused
    if refusal is not None and not cells:
        raise refusal
    # A choice without a price is not the cheapest; where none has one, the quote of the chosen one is in doubt.
    return [cell for cell in cells if cell.total > 0] or cells


def _cell(job: StageJob, postage: str, speed: str, hold: date | None) -> DeliveryOption:
    told = job.vendor.summary(job.mailing.order, postage=postage, production=speed, hold_until=hold)
    return DeliveryOption(
        postage=str(postage),
        speed=str(speed),
        hold_until=hold,
        total=cost_of(told).total,
        produced=told.production_dates.get(speed),
        delivery_min=told.delivery_min,
        delivery_max=told.delivery_max,
    )


def _none_in_time(job: StageJob, grid: DeliveryOptions) -> Result:
    job.checkpoint({"price_until": None, "price_after": None}, _keeping(job, grid, None))
    without_hold = [] if job.mailing.vendor_hold is None else _quote_all_options(job, None)
    closest = _grid(job, grid.deliver_by, [*grid.cells, *without_hold]).closest()
    asked = f"nothing is sure to arrive by {grid.deliver_by}"
    if closest is None:
        return NeedsReview(ScheduleProblem.NOT_IN_TIME, f"{asked}: LettrLabs estimates no delivery dates")
    arrives, would_do = grid.arrives(closest), grid.would_do(closest)
    unheld = " without the hold date" if job.mailing.vendor_hold and closest.hold_until is None else ""
    why = (
        f"{asked}; closest comes {closest.postage}, {closest.speed}{unheld}, by {arrives}: "
        f"mailrun reschedule {job.mailing.id} --deliver-by {would_do}"
    )
    return NeedsReview(ScheduleProblem.NOT_IN_TIME, why, _facts(closest, arrives))


def _facts(closest: DeliveryOption, arrives: date | None) -> Details:
    return {
        "postage": closest.postage,
        "speed": closest.speed,
        "total": str(closest.total),
        "arrives": arrives and arrives.isoformat(),
    }


def _keeping(job: StageJob, grid: DeliveryOptions, chosen: DeliveryOption | None) -> Record:
    def record(connection: Connection) -> None:
        connection.execute(delete(DeliveryOptionRow).where(DeliveryOptionRow.mailing_id == job.mailing.id))
        connection.execute(insert(DeliveryOptionRow), list(_rows(job.mailing.id, grid, chosen)))

    return record


def _rows(
    mailing_id: int, grid: DeliveryOptions, chosen: DeliveryOption | None
) -> Iterable[dict[str, object]]:
    for cell in grid.cells:
        yield {
            "mailing_id": mailing_id,
            "postage": cell.postage,
            "speed": cell.speed,
            "hold_until": cell.hold_until,
            "total": cell.total,
            "produced": cell.produced,
            "delivery_min": cell.delivery_min,
            "delivery_max": cell.delivery_max,
            "arrives": grid.arrives(cell),
            "meets": grid.meets(cell),
            "chosen": cell is chosen,
            "taken_at": grid.quoted_at,
        }


def _is_fresh(job: StageJob) -> bool:
    with job.engine.connect() as connection:
        taken = connection.scalars(
            select(func.max(DeliveryOptionRow.taken_at)).where(DeliveryOptionRow.mailing_id == job.mailing.id)
        ).one()
    return taken is not None and job.now() - taken < _FRESH
