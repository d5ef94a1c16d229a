"""Pages by key: each names the page that follows it, and rows that come in meanwhile move nothing."""

from urllib.parse import urlencode

from console.api.schemas import Page


def next_page(path: str, page: Page, numbers: list[int]) -> str | None:
    """Return the address of the page after the one with these numbers, None where this one was not full."""
    if len(numbers) < page.limit:
        return None
    asked = page.model_dump(mode="json", exclude_none=True) | {"before": numbers[-1]}
    return f"{path}?{urlencode(asked)}"
