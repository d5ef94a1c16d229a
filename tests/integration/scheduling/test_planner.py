from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from worker.scheduling import postal_calendar
from worker.scheduling.delivery_options import DeliveryOption, DeliveryOptions, price_valid_until

QUOTED = datetime(2026, 11, 23, 10, tzinfo=UTC)


def evening(day: date) -> datetime:
    return datetime.combine(day, time(17), tzinfo=UTC)


def cell(total: str, days: int, *, made: int = 1, speed: str = "Normal") -> DeliveryOption:
    made_on = postal_calendar.business_day_after(QUOTED.date(), made)
    last = postal_calendar.business_day_after(QUOTED.date(), days)
    return DeliveryOption(
        postage="Standard",
        speed=speed,
        hold_until=None,
        total=Decimal(total),
        produced=evening(made_on),
        delivery_min=evening(last),
        delivery_max=evening(last),
    )


@st.composite
def grids(draw: st.DrawFn) -> DeliveryOptions:
    cells = [
        replace(
            cell(str(draw(st.integers(1, 9))), draw(st.integers(1, 15))),
            delivery_max=None if draw(st.sampled_from([False] * 9 + [True])) else evening(draw(_LAST)),
            hold_until=draw(st.sampled_from([None, None, date(2026, 12, 1)])),
        )
        for _ in range(draw(st.integers(1, 8)))
    ]
    paid_on = QUOTED.date() + timedelta(days=draw(st.integers(0, 20)))
    return DeliveryOptions(cells, QUOTED, paid_on, QUOTED.date() + timedelta(days=draw(st.integers(1, 50))))


_LAST = st.integers(1, 40).map(lambda days: QUOTED.date() + timedelta(days=days))


@given(grids())
@settings(max_examples=60, deadline=None)
def test_what_is_chosen_is_never_late_and_never_dearer_than_another_in_time(grid: DeliveryOptions) -> None:
    chosen = grid.choice()

    eligible = [one for one in grid.cells if _is_in_time(grid, one)]
    if chosen is None:
        assert eligible == []
    else:
        assert _is_in_time(grid, chosen)
        assert all(chosen.total <= one.total for one in eligible)


def _is_in_time(grid: DeliveryOptions, one: DeliveryOption) -> bool:
    """Say it in other words: after the latest estimate there is one delivery more by the date asked for."""
    if one.delivery_max is None:
        return False
    last = one.delivery_max.date()
    if grid.paid_on > QUOTED.date() and one.hold_until is None:
        late = sum(
            postal_calendar.is_business_day(QUOTED.date() + timedelta(days=n))
            for n in range(1, (last - QUOTED.date()).days + 1)
        )
        last = grid.paid_on
        while late:
            last += timedelta(days=1)
            late -= postal_calendar.is_business_day(last)
    arrives = next(
        day for day in (last + timedelta(days=n) for n in range(9)) if postal_calendar.delivers(day)
    )
    return any(
        postal_calendar.delivers(arrives + timedelta(days=n))
        for n in range(1, (grid.deliver_by - arrives).days + 1)
    )


@given(grids())
@settings(max_examples=60, deadline=None)
def test_until_the_time_told_the_price_is_kept_and_the_day_after_it_rises(grid: DeliveryOptions) -> None:
    chosen = grid.choice()
    kept = None if chosen is None else price_valid_until(grid, chosen)
    if chosen is None or kept is None:
        return

    last = max(kept.until.date(), grid.paid_on) if kept.until > QUOTED else grid.paid_on
    day = grid.paid_on
    while day <= last:
        then = grid.choice(day)
        assert then is not None
        assert then.total <= chosen.total
        day += timedelta(days=1)
    after = grid.choice(day)
    assert (after and after.total) == kept.after
    assert kept.after is None or kept.after > chosen.total


@given(grids())
@settings(max_examples=60, deadline=None)
def test_the_closest_arrives_no_later_than_any_and_the_date_named_for_it_would_do(
    grid: DeliveryOptions,
) -> None:
    closest = grid.closest()
    if closest is None:
        return

    arrivals: list[Any] = [grid.arrives(one) for one in grid.cells]
    assert grid.arrives(closest) == min(day for day in arrivals if day)
    assert replace(grid, deliver_by=grid.would_do(closest)).meets(closest)
    assert not replace(grid, deliver_by=grid.would_do(closest) - timedelta(days=1)).meets(closest)


def test_a_holiday_on_the_way_makes_it_a_day_later() -> None:
    christmas = replace(cell("1", 1), delivery_max=evening(date(2026, 12, 25)))

    grid = DeliveryOptions([christmas], QUOTED, QUOTED.date(), date(2026, 12, 28))

    assert grid.arrives(christmas) == date(2026, 12, 26)
    assert grid.meets(christmas)
    assert not replace(grid, deliver_by=date(2026, 12, 26)).meets(christmas)


def test_the_price_is_kept_until_the_hour_at_which_production_ends_on_the_last_day() -> None:
    slow, fast = cell("4.10", 5), cell("5.20", 2, speed="ExpeditedFastest")
    # Paid on Tuesday the slow one arrives on Wednesday week; Thursday is Thanksgiving.
    grid = DeliveryOptions([slow, fast], QUOTED, QUOTED.date(), date(2026, 12, 3))

    kept = price_valid_until(grid, slow)

    assert kept is not None
    assert kept.until == datetime(2026, 11, 24, 17, tzinfo=UTC)
    assert kept.after == Decimal("5.20")
