"""A chain of entries in which each one's hash covers the one before: whoever edits one must forge all that follow.

What it proves hangs on the last hash, the head. Who keeps the head elsewhere can tell any later edit; the chain
alone tells an edit by somebody who did not compute it anew.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias

Entry: TypeAlias = dict[str, Any]
_HASH = "hash"


def link(header: Mapping[str, Any], entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries, each with its hash; the first one's covers the header."""
    before = _digest("", header)
    chained = []
    for entry in entries:
        before = _digest(before, entry)
        chained.append({**entry, _HASH: before})
    return chained


def head(header: Mapping[str, Any], chained: Sequence[Entry]) -> str:
    """Return the last hash."""
    last: str = chained[-1][_HASH] if chained else _digest("", header)
    return last


def first_mismatch(header: Mapping[str, Any], chained: Sequence[Entry]) -> int | None:
    """Return the place, from 1, of the first entry whose hash is not that of what it says; None if all are."""
    before = _digest("", header)
    for place, entry in enumerate(chained, start=1):
        before = _digest(before, {name: value for name, value in entry.items() if name != _HASH})
        if entry.get(_HASH) != before:
            return place
    return None


def _digest(before: str, content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(f"{before}\n{text}".encode()).hexdigest()
