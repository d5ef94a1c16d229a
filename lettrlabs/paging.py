"""Everything a paged list holds, from a vendor that promises neither a total, nor an order, nor a page size."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar


class _Row(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=_Row)

# A server may cap pages below the size asked for, and then at a round number: such a short page may not be the last.
_ROUND = 10


def every(fetch: Callable[[int], tuple[Row, ...]], page_size: int) -> Iterator[Row]:
    """Give each row once, from page 0 on, until a page is empty, brings nothing new or is plainly the last."""
    seen: set[int] = set()
    page = 0
    while True:
        rows = fetch(page)
        fresh = {row.id: row for row in rows if row.id not in seen}
        yield from fresh.values()
        seen |= fresh.keys()
        if not fresh or (len(rows) < page_size and len(rows) % _ROUND):
            return
        page += 1
