"""Arrays for PostgreSQL, written as it reads them: the driver looks at each item, and at each quote mark in it."""

from collections.abc import Iterable

_NULL = "NULL"


def literal(values: Iterable[object]) -> str:
    """Return an array of numbers, dates or words of ours: what needs no quotes. None is a null."""
    return f"{{{','.join([_NULL if value is None else str(value) for value in values])}}}"


def texts(values: Iterable[str | None]) -> str:
    """Return an array of any texts. None is a null."""
    return f"{{{','.join([_NULL if value is None else _quoted(value) for value in values])}}}"


def _quoted(text: str) -> str:
    # PostgreSQL documentation, "Array Input and Output Syntax": within quotes a backslash goes before these two.
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
