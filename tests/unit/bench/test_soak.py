"""What the soak calls growth, in pairs of a run that grows and one that does not."""

import pytest

from bench.soak import reading
from bench.soak.verdict import trend

SECONDS = [10.0 * number for number in range(180)]


def figures(start: float, per_second: float, wobble: float = 0.0) -> list[float]:

    return [start + per_second * at + wobble * (-1) ** n for n, at in enumerate(SECONDS)]


def test_memory_that_leaks_steadily_grows() -> None:
    assert trend(SECONDS, figures(150, per_second=0.02), floor=5).grows


def test_memory_that_only_wobbles_does_not_grow() -> None:
    assert not trend(SECONDS, figures(150, per_second=0, wobble=20), floor=5).grows


def test_a_leak_shows_through_the_wobble() -> None:
    assert trend(SECONDS, figures(150, per_second=0.1, wobble=20), floor=5).grows


def test_what_is_filled_in_the_first_third_is_warming_up_not_growth() -> None:
    warm = [min(200.0, 100 + at / 4) for at in SECONDS]

    assert not trend(SECONDS, warm, floor=5).grows


def test_what_shrinks_does_not_grow() -> None:
    assert not trend(SECONDS, figures(500, per_second=-0.1), floor=5).grows


def test_a_run_of_three_readings_says_nothing() -> None:
    with pytest.raises(ValueError, match="too few"):
        trend([0, 1, 2], [1, 1, 1], floor=1)


@pytest.mark.parametrize(
    "name", ["worker 1 MB", "beat files", "Redis used MB", "Redis keys", "locks", "locks waited for"]
)
def test_every_figure_has_a_floor(name: str) -> None:
    assert reading.floor(name) > 0
