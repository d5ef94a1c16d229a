import io
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# Two shared cores can stall any example; what a property test has found belongs into the tests, not on a disk.
settings.register_profile(
    "shared machine", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")

Listed = Callable[..., io.BytesIO]


@pytest.fixture
def people_list() -> Listed:
    """Return a maker of lists: so many people, and rows of your own after them."""

    def make(count: int, *rows: str) -> io.BytesIO:
        people = (f"Ann{n},Lee,{n + 1} Oak St,Boston,MA,2108,plan {n}\n" for n in range(count))
        text = "First name,Last name,Address,City,State,ZIP,Custom 1\n" + "".join(people)
        return io.BytesIO((text + "".join(f"{row}\n" for row in rows)).encode())

    return make
