"""All rows of a paged list, from a vendor that promises neither a total, nor an order, nor a page size."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeVar

from lettrlabs.outcomes import Scalar


class _Row(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=_Row)

# A server may cap pages below the requested size, at a round number. Such a short page may not be the last.
_ROUND = 10


class RepeatedPageError(Exception):
    """The server ignores both spellings of a page's number, so what follows the first page is unknown."""


class Span(NamedTuple):
    """One page to ask for: by its number and size, or, if ``skip`` is set, by the rows before it."""

    page: int
    size: int
    skip: int | None = None

    def query(self) -> dict[str, Scalar]:
        """Return the query members, in the spelling of today's reference or of the older one."""
        if self.skip is None:
            return {"pageNumber": self.page, "pageSize": self.size}
        return {"Skip": self.skip, "Take": self.size}


def iterate_pages(
    fetch: Callable[[Span], tuple[Row, ...]], page_size: int, expected: int | None = None
) -> Iterator[Row]:
    """Yield each row once, until a page is empty or cannot be followed by another.

    A page that repeats earlier rows does not end the list: the server may not know today's names of page number and
    size. The older names are tried next. If the rows repeat again, the list is complete only where the caller
    `expected` no more rows, or where the page was too odd in length to be one of several. Raises RepeatedPageError.
    """
    seen: set[int] = set()
    page, skip = 0, False
    rows: tuple[Row, ...] = ()
    while True:
        before, rows = rows, fetch(Span(page, page_size, len(seen) if skip else None))
        fresh = {row.id: row for row in rows if row.id not in seen}
        yield from fresh.values()
        seen |= fresh.keys()
        if rows and not fresh:
            if _is_whole(before, page_size, seen, expected):
                return
            if skip:
                raise RepeatedPageError
            skip = True
            continue
        if not rows or (len(rows) < page_size and len(rows) % _ROUND):
            return
        page += 1


def _is_whole(before: tuple[Row, ...], page_size: int, seen: set[int], expected: int | None) -> bool:
    if expected is not None:
        return len(seen) >= expected
    return len(before) > page_size and len(before) % _ROUND != 0
